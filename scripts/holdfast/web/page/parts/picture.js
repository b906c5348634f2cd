// A picture of how something grew: a line over time, drawn for the width that there is.

import { fill, h, svg } from "../base/dom.js";
import { counted, date, day, number, size } from "../base/words.js";
import { table } from "./table.js";

const HEIGHT = 220;
const MARGIN = { top: 14, right: 14, bottom: 26, left: 62 };

/** How large the backups were: a series for each kind of file, as those compare to no other. */
export function sizesOf(points) {
  const kinds = [...new Set(points.map((point) => kindOf(point.backup)))];
  return kinds
    .map((kind) => {
      const title = kinds.length > 1 ? `Size of backups, ${kind}` : "Size of backups";
      return {
        name: kind,
        short: kind === "folders" ? kind : `${kind} files`,
        title,
        words: size,
        values: values(
          points.filter((point) => kindOf(point.backup) === kind),
          (point) => point.bytes,
        ),
      };
    })
    .sort((one, other) => other.values.length - one.values.length);
}

function kindOf(backup) {
  const at = backup.indexOf(".");
  return at < 0 ? "folders" : backup.slice(at);
}

/** How many rows there were: in all tables, and in each that had any. */
export function rowsOf(points) {
  const tables = [...new Set(points.flatMap((point) => Object.keys(point.tables)))].sort();
  const last = points.at(-1)?.tables ?? {};
  const filled = tables.filter((name) => points.some((point) => point.tables[name]));
  filled.sort((one, other) => (last[other] ?? 0) - (last[one] ?? 0));
  return [
    {
      name: "",
      short: "all tables",
      title: "Rows in all tables",
      words: rowWords,
      values: values(points, (point) => point.rows),
    },
    ...filled.map((each) => ({
      name: each,
      short: each,
      title: `Rows in ${each}`,
      words: rowWords,
      values: values(points, (point) => point.tables[each]),
    })),
  ];
}

function rowWords(count) {
  return counted(count, "row");
}

function values(points, pick) {
  return points
    .map((point) => ({ at: point.at, value: pick(point) }))
    .filter((each) => each.value !== undefined && each.value !== null);
}

/** The picture of a series, with the same as a table below it. */
export function picture(series) {
  const frame = h("div", { class: "picture" });
  const draw = () => fill(frame, drawn(series, Math.max(frame.clientWidth, 240)));
  new ResizeObserver(draw).observe(frame);
  return h(
    "figure",
    {},
    h("figcaption", {}, summary(series)),
    frame,
    h(
      "details",
      {},
      h("summary", {}, "The same as a table"),
      h(
        "div",
        {
          class: "scroll",
          tabindex: 0,
          role: "region",
          "aria-label": `${series.title}, as a table`,
        },
        table({
          caption: series.title,
          columns: [{ title: "Backup of" }, { title: series.title, kind: "number" }],
          rows: [...series.values]
            .reverse()
            .map(({ at, value }) => [date(at), series.words(value)]),
        }),
      ),
    ),
  );
}

function summary({ title, values: all, words }) {
  const first = all[0];
  const last = all.at(-1);
  if (all.length < 2)
    return last
      ? `${title}: ${words(last.value)} on ${date(last.at)}. A line comes with the second backup.`
      : `${title}: nothing yet.`;
  return `${title}: from ${words(first.value)} on ${date(first.at)} to ${words(last.value)} on ${date(last.at)}, ${counted(all.length, "backup")}.`;
}

function drawn(series, width) {
  const all = series.values.map(({ at, value }) => ({ moment: Date.parse(at), at, value }));
  const steps = ticks(Math.max(...all.map((each) => each.value), 1));
  const scale = scales(all, steps.at(-1), width);
  const places = all.map((each) => [scale.x(each.moment), scale.y(each.value)]);
  const path = places
    .map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
  const floor = scale.y(0);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      width,
      height: HEIGHT,
      role: "img",
      "aria-label": summary(series),
    },
    steps.map((value) => rule(value, scale.y(value), width, series)),
    dates(all, scale),
    places.length > 1 &&
      svg("path", {
        class: "area",
        d: `${path}L${places.at(-1)[0].toFixed(1)} ${floor}L${places[0][0].toFixed(1)} ${floor}Z`,
      }),
    svg("path", { class: "line", d: path }),
    places.map(([cx, cy], index) =>
      svg(
        "circle",
        { class: "point", cx, cy, r: places.length > 60 ? 2 : 3.5 },
        svg("title", {}, `${date(all[index].at)}: ${series.words(all[index].value)}`),
      ),
    ),
  );
}

function scales(all, top, width) {
  const [start, stop] = [all[0]?.moment ?? 0, all.at(-1)?.moment ?? 1];
  const inner = width - MARGIN.left - MARGIN.right;
  const middle = MARGIN.left + inner / 2;
  return {
    x: (moment) =>
      stop > start ? MARGIN.left + (inner * (moment - start)) / (stop - start) : middle,
    y: (value) => HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * value) / top,
  };
}

/** Three or four round numbers from 0 to just above the highest value. */
function ticks(highest) {
  const rough = highest / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const round = highest < 3 ? Math.ceil(step) : step;
  return Array.from({ length: Math.ceil(highest / round) + 1 }, (_, index) => index * round);
}

function rule(value, y, width, series) {
  const words = series.words === size ? (value ? size(value) : "0") : number(value);
  return svg(
    "g",
    {},
    svg("line", { class: "rule", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
    svg("text", { class: "tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, words),
  );
}

function dates(all, scale) {
  if (!all.length) return [];
  const ends =
    all.length > 1 && all[0].moment < all.at(-1).moment
      ? [
          [all[0], "start"],
          [all.at(-1), "end"],
        ]
      : [[all[0], "middle"]];
  return ends.map(([each, anchor]) =>
    svg(
      "text",
      { class: "tick", x: scale.x(each.moment), y: HEIGHT - 6, "text-anchor": anchor },
      day(each.at),
    ),
  );
}
