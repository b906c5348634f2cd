// Long lists that begin with their first few.

import { fill, h } from "../base/dom.js";

/**
 * Show the first few of a list, and all of it when that is asked for.
 *
 * @param noun what they are, such as "backups"
 * @param draw some of them as a node
 * @param memory an object that keeps what was asked for when the list is drawn anew
 */
export function shortened(all, few, noun, draw, memory) {
  const place = h("div", { tabindex: -1 });
  const showAll = () => {
    memory.isWhole = true;
    show();
    place.focus();
  };
  const show = () => {
    const isShort = !memory.isWhole && all.length > few;
    fill(
      place,
      draw(isShort ? all.slice(0, few) : all),
      isShort &&
        h(
          "button",
          {
            type: "button",
            class: "small more",
            id: `all-${noun.replace(/\s+/g, "-")}`,
            onclick: showAll,
          },
          `Show all ${all.length} ${noun}`,
        ),
    );
  };
  show();
  return place;
}
