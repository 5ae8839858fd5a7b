"""Mail folders."""

import zlib
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from m365_sandbox import ids
from m365_sandbox.entities import Folder
from m365_sandbox.errors import GraphError, malformed, not_found
from m365_sandbox.graph.listing import counted, listed, selected
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.store import HIDDEN

_READ = "GET /me/mailfolders"
ROOT = "msgfolderroot"


def the_folder(request: Request, name: str) -> Folder:
    """The folder by its id or well-known name; refuses what is not there."""
    if name.lower() in (ROOT, _root_id(request)):
        return Folder(_root_id(request), request.user.id, "Top of Information Store", ROOT, "none")
    folder = request.sandbox.store.folder(request.user.id, name) or _hidden(request, name)
    if folder is None:
        raise not_found()
    parent = request.within.get("parent")
    if parent is not None and name == request.params[0] and folder.parent != the_id(request, parent):
        raise not_found()
    return folder


def _hidden(request: Request, name: str) -> Folder | None:
    known = name.lower().removeprefix(f"{request.user.id}.".lower())
    if known not in HIDDEN:
        return None
    folder = Folder(f"{request.user.id}.{known}", request.user.id, HIDDEN[known], known)
    request.sandbox.store.save(folder)
    return folder


def the_id(request: Request, name: str) -> str:
    """As `Folder.parent` has it: empty for the top."""
    if name.lower() in (ROOT, _root_id(request)):
        return ""
    folder = request.sandbox.store.folder(request.user.id, name)
    if folder is None:
        raise not_found()
    return folder.id


def _root_id(request: Request) -> str:
    return f"{request.user.id}.root"


def _row(request: Request, folder: Folder, children: Counter[str]) -> dict[str, Any]:
    store = request.sandbox.store
    return {
        "id": folder.id, "displayName": folder.name, "parentFolderId": folder.parent or _root_id(request),
        "childFolderCount": children["" if folder.well_known == ROOT else folder.id],
        "unreadItemCount": store.messages.unread(folder.id), "totalItemCount": store.count(folder.id), "isHidden": folder.well_known in HIDDEN,
    }  # fmt: skip


def _rows(request: Request, folders: list[Folder]) -> list[dict[str, Any]]:
    children = Counter(folder.parent for folder in _visible(request))
    return [_row(request, folder, children) for folder in folders]


def _entity(request: Request, folder: Folder, status: int = 200) -> Answer:
    context = request.context("mailFolders/$entity")
    return Answer(status, {"@odata.context": context, **selected(request, *_rows(request, [folder]))})


def _visible(request: Request) -> list[Folder]:
    return [f for f in request.sandbox.store.folders_of(request.user.id) if f.well_known not in HIDDEN]


def _children(request: Request, parent: str) -> list[Folder]:
    """With `includeHiddenFolders`, the hidden ones too."""
    asked = {name.lower(): value for name, value in request.query.items()}.get("includehiddenfolders", "")
    found = [folder for folder in _visible(request) if folder.parent == parent]
    if asked.lower() == "true" and parent == "":
        found += [the_folder(request, name) for name in HIDDEN]
    return found


def _listed(request: Request, folders: list[Folder]) -> Answer:
    return listed(request, "mailFolders", "mailFolder", _rows(request, folders))


@operation("GET", "/me/mailfolders")
def list_folders(request: Request) -> Answer:
    return _listed(request, _children(request, ""))


@operation("GET", "/me/mailfolders/$count", needs=_READ)
def count_folders(request: Request) -> Answer:
    return counted(len(_children(request, "")))


@operation("GET", "/me/mailfolders/{id}")
def get_folder(request: Request) -> Answer:
    return _entity(request, the_folder(request, request.params[0]))


@operation("GET", "/me/mailfolders/{id}/childfolders")
def list_child_folders(request: Request) -> Answer:
    return _listed(request, _children(request, the_id(request, request.params[0])))


@operation("GET", "/me/mailfolders/{id}/childfolders/$count", needs=_READ)
def count_child_folders(request: Request) -> Answer:
    return counted(len(_children(request, the_id(request, request.params[0]))))


def _shown(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    shown = selected(request, row)
    request.served.append({"kind": "mailFolder", "id": row["id"], "fields": list(shown)})
    return shown


def _delta(request: Request, folders: list[Folder]) -> Answer:
    from m365_sandbox.graph import rounds  # which itself needs the delta of messages, and that needs folders

    options = rounds.begun(request, ("$filter", "$orderby", "$search", "$expand"))
    if options is None:
        options = {"select": request.query.get("$select")}
    if options.get("select"):
        request.query["$select"] = options["select"]
    items = {
        row["id"]: (f"{zlib.crc32(orjson.dumps(row)):x}", partial(_shown, request, row))
        for row in _rows(request, folders)
    }
    return rounds.answer(request, items, options, context="mailFolders", kind="mailFolder")


@operation("GET", "/me/mailfolders/delta")
def folders_delta(request: Request) -> Answer:
    """Of all folders, at whatever depth; counts are part of them."""
    return _delta(request, _visible(request))


@operation("GET", "/me/mailfolders/{id}/childfolders/delta", needs="GET /me/mailfolders/delta")
def child_folders_delta(request: Request) -> Answer:
    return _delta(request, _children(request, the_id(request, request.params[0])))


def _create(request: Request, parent: str) -> Answer:
    name = request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise malformed("displayName is required.", request.sandbox.switches)
    _check_name(request, parent, name)
    folder = Folder(ids.item_id(), request.user.id, name, parent=parent)
    request.sandbox.store.save(folder)
    return _entity(request, folder, 201)


def _check_name(request: Request, parent: str, name: str) -> None:
    if any(folder.name == name for folder in _children(request, parent)):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")


@operation("POST", "/me/mailfolders")
def create_folder(request: Request) -> Answer:
    return _create(request, "")


@operation("POST", "/me/mailfolders/{id}/childfolders")
def create_child_folder(request: Request) -> Answer:
    return _create(request, the_id(request, request.params[0]))


@operation("PATCH", "/me/mailfolders/{id}")
def rename_folder(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    folder.name = str(request.json().get("displayName", folder.name))
    request.sandbox.store.save(folder)
    return _entity(request, folder)


@operation("DELETE", "/me/mailfolders/{id}")
def delete_folder(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    if folder.well_known:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    _remove(request, folder)
    return Answer(204)


def _remove(request: Request, folder: Folder) -> None:
    store = request.sandbox.store
    for child in _children(request, folder.id):
        _remove(request, child)
    for message in list(store.newest_first(folder.id)):
        store.delete_message(message)
    store.remove(folder)


@operation("POST", "/me/mailfolders/{id}/permanentdelete")
def delete_folder_for_good(request: Request) -> Answer:
    return delete_folder(request)  # type: ignore[return-value]


def _destination(request: Request) -> str:
    given = {name.lower(): value for name, value in request.json().items()}
    if not isinstance(given.get("destinationid"), str):
        raise malformed("DestinationId is required.", request.sandbox.switches)
    return the_id(request, given["destinationid"])


@operation("POST", "/me/mailfolders/{id}/move")
def move_folder(request: Request) -> Answer:
    folder, parent = the_folder(request, request.params[0]), _destination(request)
    if folder.well_known:
        raise GraphError(403, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved.")
    _check_name(request, parent, folder.name)
    folder.parent = parent
    request.sandbox.store.save(folder)
    return _entity(request, folder, 201)


@operation("POST", "/me/mailfolders/{id}/copy")
def copy_folder(request: Request) -> Answer:
    """With all that lies in it."""
    folder, parent = the_folder(request, request.params[0]), _destination(request)
    _check_name(request, parent, folder.name)
    return _entity(request, _copied(request, folder, parent), 201)


def _copied(request: Request, folder: Folder, parent: str) -> Folder:
    store = request.sandbox.store
    made = Folder(ids.item_id(), request.user.id, folder.name, parent=parent)
    store.save(made)
    for message in list(store.newest_first(folder.id)):
        store.add_message(copy_of(message, made))
    for child in _children(request, folder.id):
        _copied(request, child, made.id)
    return made


def copy_of(message: Any, folder: Folder) -> Any:
    """The same message as another item in that folder."""
    return replace(
        message, key=ids.key(), id=ids.item_id(), immutable_id=ids.immutable_id(), folder=folder.id, version=1
    )
