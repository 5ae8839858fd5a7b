"""Mail folders."""

from typing import Any

from m365_sandbox import ids
from m365_sandbox.entities import Folder
from m365_sandbox.errors import GraphError, malformed, not_found
from m365_sandbox.graph.odata import parse_select, whole_number
from m365_sandbox.graph.routes import Answer, Request, operation


def the_folder(request: Request, name: str) -> Folder:
    """The folder by its id or well-known name; refuses what is not there."""
    folder = request.sandbox.store.folder(request.user.id, name)
    if folder is None:
        raise not_found()
    return folder


def _shown(request: Request, folder: Folder) -> dict[str, Any]:
    store = request.sandbox.store
    unread = sum(1 for message in store.newest_first(folder.id) if not message.is_read)
    shown = {
        "id": folder.id, "displayName": folder.name,
        "parentFolderId": folder.parent or f"{request.user.id}.root",
        "childFolderCount": sum(1 for f in store.folders_of(request.user.id) if f.parent == folder.id),
        "unreadItemCount": unread, "totalItemCount": store.count(folder.id), "sizeInBytes": 0,
        "isHidden": False,
    }  # fmt: skip
    select = parse_select(request.query.get("$select"))
    if select is None:
        return shown
    wanted = {name.lower() for name in select} | {"id"}
    return {name: value for name, value in shown.items() if name.lower() in wanted}


def _listed(request: Request, folders: list[Folder]) -> Answer:
    top = whole_number(request.query.get("$top"), "$top", 10, most=1000)
    skip = whole_number(request.query.get("$skip"), "$skip", 0, most=10**9)
    body: dict[str, Any] = {
        "@odata.context": request.context("mailFolders"),
        "value": [_shown(request, folder) for folder in folders[skip : skip + top]],
    }
    if skip + top < len(folders):
        body["@odata.nextLink"] = request.link(**{**request.query, "$skip": str(skip + top)})
    return Answer(body=body)


@operation("GET", "/me/mailfolders")
def list_folders(request: Request) -> Answer:
    folders = [folder for folder in request.sandbox.store.folders_of(request.user.id) if not folder.parent]
    return _listed(request, folders)


@operation("GET", "/me/mailfolders/{id}")
def get_folder(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    return Answer(body={"@odata.context": request.context("mailFolders/$entity"), **_shown(request, folder)})


@operation("GET", "/me/mailfolders/{id}/childfolders")
def list_child_folders(request: Request) -> Answer:
    parent = the_folder(request, request.params[0])
    folders = request.sandbox.store.folders_of(request.user.id)
    return _listed(request, [folder for folder in folders if folder.parent == parent.id])


def _create(request: Request, parent: str) -> Answer:
    name = request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise malformed("displayName is required.", request.sandbox.switches)
    store = request.sandbox.store
    if any(f.name == name and f.parent == parent for f in store.folders_of(request.user.id)):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    folder = Folder(ids.item_id(), request.user.id, name, parent=parent)
    store.save(folder)
    return Answer(201, {"@odata.context": request.context("mailFolders/$entity"), **_shown(request, folder)})


@operation("POST", "/me/mailfolders")
def create_folder(request: Request) -> Answer:
    return _create(request, "")


@operation("POST", "/me/mailfolders/{id}/childfolders")
def create_child_folder(request: Request) -> Answer:
    return _create(request, the_folder(request, request.params[0]).id)


@operation("PATCH", "/me/mailfolders/{id}")
def rename_folder(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    folder.name = str(request.json().get("displayName", folder.name))
    request.sandbox.store.save(folder)
    return Answer(body={"@odata.context": request.context("mailFolders/$entity"), **_shown(request, folder)})


@operation("DELETE", "/me/mailfolders/{id}")
def delete_folder(request: Request) -> Answer:
    folder = the_folder(request, request.params[0])
    if folder.well_known:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    store = request.sandbox.store
    for message in list(store.newest_first(folder.id)):
        store.delete_message(message)
    store.remove(folder)
    return Answer(204)
