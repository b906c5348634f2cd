"""
Makes the databases of real tools with their own code, and reads them with their own code.

Runs in an environment of its own, where these tools are installed:

    python tool_databases.py make FOLDER TOOL...    makes one database of each tool
    python tool_databases.py read FOLDER TOOL...    prints as JSON what each reads from its own
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import ClassVar

CONFIG = {"configurable": {"thread_id": "t1", "checkpoint_ns": ""}}


class Tool:
    """One tool: what its database is called, how it is made, and how it is read."""

    file: str
    beside = False  # more than the database is needed: what lies in folders beside it
    apart = False  # its versions go with those of no other: it has an environment of its own

    def make(self, path: Path) -> None:
        raise NotImplementedError

    def read(self, path: Path) -> object:
        raise NotImplementedError


class Llm(Tool):
    """llm: a conversation with a model that needs no network."""

    file = "logs.db"

    def make(self, path):
        import llm
        import sqlite_utils
        from llm.migrations import migrate

        class Parrot(llm.Model):  # type: ignore[misc]
            model_id = "parrot"

            def execute(self, prompt, stream, response, conversation):
                yield f"You said: {prompt.prompt} \N{PARROT}"

        db = sqlite_utils.Database(path)
        migrate(db)
        conversation = Parrot().conversation()
        for words in ("first", "second\0 with a NUL"):
            response = conversation.prompt(words)
            response.text()
            response.log_to_db(db)
        db.close()

    def read(self, path):
        import sqlite_utils
        from llm.migrations import migrate

        db = sqlite_utils.Database(path)
        migrate(db)  # finds nothing to do, or fails
        said = "SELECT role, text FROM parts JOIN messages ON hash = message_hash ORDER BY parts.id"
        search = (
            "SELECT count(*) FROM turn_search_fts WHERE turn_search_fts MATCH 'parrot OR second'"
        )
        return [list(db.execute(said)), db.execute(search).fetchone()[0]]


class LangGraph(Tool):
    """LangGraph: checkpoints and pending writes of a thread, as its saver packs them."""

    file = "checkpoints.sqlite"

    def make(self, path):
        from langgraph.checkpoint.base import empty_checkpoint
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(path)) as saver:
            config = CONFIG
            for step in range(3):
                checkpoint = empty_checkpoint()
                checkpoint["channel_values"] = {"messages": ["a", {"b": step}], "raw": b"\0\xff"}
                config = saver.put(config, checkpoint, {"step": step, "source": "loop"}, {})
            saver.put_writes(config, [("messages", {"pending": True})], "task-1")

    def read(self, path):
        from langgraph.checkpoint.sqlite import SqliteSaver

        with SqliteSaver.from_conn_string(str(path)) as saver:
            found = list(saver.list(CONFIG))
            latest = saver.get_tuple(CONFIG)
            return {
                "steps": [each.metadata["step"] for each in found],
                "values": repr(latest.checkpoint["channel_values"]),
                "writes": repr(latest.pending_writes),
            }


class OpenAIAgents(Tool):
    """OpenAI Agents SDK: the items of a session."""

    file = "agents.db"

    def make(self, path):
        from agents import SQLiteSession

        async def work():
            session = SQLiteSession("s1", path)
            await session.add_items(
                [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "héllo"}]
            )
            session.close()

        asyncio.run(work())

    def read(self, path):
        from agents import SQLiteSession

        session = SQLiteSession("s1", path)
        return asyncio.run(session.get_items())


class GoogleAdk(Tool):
    """Google ADK: a session with its state and an event."""

    file = "session.db"

    def make(self, path):
        from google.adk.events import Event, EventActions
        from google.genai import types

        async def work(service):
            session = await service.create_session(
                app_name="app", user_id="ann", session_id="s1", state={"app:a": 1, "user:b": [2]}
            )
            said = types.Content(role="user", parts=[types.Part(text="hello")])
            event = Event(author="user", content=said, actions=EventActions(state_delta={"c": 3}))
            await service.append_event(session, event)

        asyncio.run(work(self.service(path)))

    def read(self, path):
        async def work(service):
            session = await service.get_session(app_name="app", user_id="ann", session_id="s1")
            texts = [each.content.parts[0].text for each in session.events]
            return {"state": dict(sorted(session.state.items())), "texts": texts}

        return asyncio.run(work(self.service(path)))

    def service(self, path):
        from google.adk.sessions.sqlite_session_service import SqliteSessionService

        return SqliteSessionService(str(path))


class Mem0(Tool):
    """mem0: what became of a memory."""

    file = "history.db"

    def make(self, path):
        from mem0.memory.storage import SQLiteManager

        manager = SQLiteManager(str(path))
        manager.add_history("m1", None, "likes tea", "ADD", created_at="2026-11-20T10:00:00")
        manager.add_history("m1", "likes tea", "likes coffee", "UPDATE")

    def read(self, path):
        from mem0.memory.storage import SQLiteManager

        found = SQLiteManager(str(path)).get_history("m1")
        return sorted([each["old_memory"] or "", each["new_memory"]] for each in found)


class Chroma(Tool):
    """Chroma: a collection with documents, and a search in their text."""

    file = "chroma.sqlite3"
    beside = True

    def make(self, path):
        import chromadb

        collection = chromadb.PersistentClient(path=str(path.parent)).create_collection("notes")
        collection.add(
            ids=["a", "b"],
            embeddings=[[1.0, 0.0], [0.0, 1.0]],
            documents=["green tea", "black coffee"],
            metadatas=[{"n": 1}, {"n": 2.5}],
        )

    def read(self, path):
        import chromadb

        collection = chromadb.PersistentClient(path=str(path.parent)).get_collection("notes")
        found = collection.get(include=["documents", "metadatas"])
        searched = collection.get(where_document={"$contains": "coffee"})["ids"]
        nearest = collection.query(query_embeddings=[[0.9, 0.1]], n_results=1)["ids"]
        return [found["ids"], found["documents"], found["metadatas"], searched, nearest]


class Datasette(Tool):
    """Datasette: its internal database, with the catalogue of another one."""

    file = "internal.db"

    def make(self, path):
        import sqlite3

        other = path.with_name("other.db")
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE plants (id INTEGER PRIMARY KEY, name TEXT)")

        async def work():
            datasette = self.datasette([str(other)], path)
            await datasette.invoke_startup()
            await datasette.refresh_schemas()
            await datasette.set_instance_metadata("title", "Plants")

        asyncio.run(work())

    def read(self, path):
        async def work():
            datasette = self.datasette([], path)
            internal = datasette.get_internal_database()
            tables = await internal.execute("SELECT table_name FROM catalog_tables")
            metadata = await datasette.get_instance_metadata()
            return [[row[0] for row in tables.rows], dict(metadata)]

        return asyncio.run(work())

    def datasette(self, files, path):
        from datasette.app import Datasette

        return Datasette(files, internal=str(path))


class OpenWebUI(Tool):
    """Open WebUI: a chat in a folder, a file in a knowledge base, a memory and a setting."""

    file = "webui.db"
    apart = True
    settings: ClassVar = {
        "ui.default_models": "parrot",
        "openai.api_keys": ["sk-1", "sk-2"],
        "openai.api_configs": {"0": {"enable": True, "key": "sk-3", "headers": {"X": "sk-4"}}},
        "tool_server.connections": [
            {
                "url": "http://tools",
                "auth_type": "bearer",
                "key": "sk-5",
                "headers": {"X": "sk-6"},
                "info": {"id": "t", "oauth_client_info": "sk-7", "oauth_client_secret": "sk-8"},
            }
        ],
        "terminal_server.connections": [{"id": "s", "url": "http://shell", "key": "sk-9"}],
        "rag.external_document_loader_headers": {"X": "sk-10"},
    }

    def make(self, path):
        self.start(path)
        from open_webui.config import seed_registered_defaults
        from open_webui.models.auths import Auths
        from open_webui.models.chats import ChatForm, Chats
        from open_webui.models.config import Config
        from open_webui.models.files import FileForm, Files
        from open_webui.models.folders import FolderForm, Folders
        from open_webui.models.knowledge import KnowledgeForm, Knowledges
        from open_webui.models.memories import Memories

        question = {"id": "q", "parentId": None, "childrenIds": ["a"], "role": "user"}
        answer = {"id": "a", "parentId": "q", "childrenIds": [], "role": "assistant"}
        messages = {
            "q": {**question, "content": "green tea?", "timestamp": 1},
            "a": {**answer, "content": "always \N{TEACUP WITHOUT HANDLE}", "timestamp": 2},
        }
        chat = {"title": "Tea", "history": {"messages": messages, "currentId": "a"}}

        async def work():
            ann = await Auths.insert_new_auth("ann@example.org", "hash", "Ann", role="admin")
            folder = await Folders.insert_new_folder(ann.id, FolderForm(name="Drinks"))
            await Chats.insert_new_chat("c1", ann.id, ChatForm(chat=chat, folder_id=folder.id))
            await Chats.add_chat_tag_by_id_and_user_id_and_tag_name("c1", ann.id, "Hot Drinks")
            file = FileForm(id="f1", filename="tea.txt", path="tea.txt", data={"content": "leaves"})
            await Files.insert_new_file(ann.id, file)
            form = KnowledgeForm(name="Teas", description="all of them")
            knowledge = await Knowledges.insert_new_knowledge(ann.id, form)
            await Knowledges.add_file_to_knowledge_by_id(knowledge.id, "f1", ann.id)
            await Memories.insert_new_memory(ann.id, "likes tea")
            await seed_registered_defaults()
            await Config.upsert(self.settings)

        asyncio.run(work())

    def read(self, path):
        self.start(path)  # its migrations find nothing to do, or fail
        from open_webui.models.chat_messages import ChatMessages
        from open_webui.models.chats import Chats
        from open_webui.models.config import Config
        from open_webui.models.folders import Folders
        from open_webui.models.knowledge import Knowledges
        from open_webui.models.memories import Memories
        from open_webui.models.users import Users

        async def work():
            ann = await Users.get_user_by_email("ANN@example.org")
            chats = await Chats.get_chats_by_user_id_and_search_text(ann.id, "green tag:hot_drinks")
            messages = await ChatMessages.get_messages_by_chat_id("c1")
            (knowledge,) = await Knowledges.get_knowledge_bases()
            return {
                "folders": [each.name for each in await Folders.get_folders_by_user_id(ann.id)],
                "found": [[each.title, each.meta] for each in chats],
                "messages": [[each.role, each.content] for each in messages],
                "files": [each.data for each in await Knowledges.get_files_by_id(knowledge.id)],
                "memories": [each.content for each in await Memories.get_memories()],
                "settings": await Config.get_many(*self.settings),
            }

        return asyncio.run(work())

    def start(self, path):
        """Do what its server does first: bring the database to the newest version."""
        os.environ.update(
            DATA_DIR=str(path.parent),
            ENABLE_OAUTH_PERSISTENT_CONFIG="true",  # what else would be in no database
            FROM_INIT_PY="true",  # as its own command has it: all is taken from the package
            OFFLINE_MODE="true",
            STATIC_DIR=str(path.with_name("static")),  # what it copies at every start
            VECTOR_DB="qdrant",  # never asked: it is only that Chroma need not be installed
            WEBUI_SECRET_KEY="secret",
        )
        import open_webui.config  # noqa: F401 - runs the migrations


TOOLS: dict[str, Tool] = {
    "llm": Llm(),
    "langgraph": LangGraph(),
    "openai_agents": OpenAIAgents(),
    "google_adk": GoogleAdk(),
    "mem0": Mem0(),
    "chroma": Chroma(),
    "datasette": Datasette(),
    "open_webui": OpenWebUI(),
}


def main(verb, folder, *names):
    found = {}
    for name in names:
        tool = TOOLS[name]
        path = Path(folder) / name / tool.file
        path.parent.mkdir(parents=True, exist_ok=True)
        found[name] = getattr(tool, verb)(path)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
