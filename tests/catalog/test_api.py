from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from cupola.catalog import api, jobs, reference_api
from cupola.identity import api as identity_api
from cupola.kernel import ids
from cupola.platform import blob_api
from cupola.platform.pg.cluster import Cluster
from cupola.platform.web import encode_cursor
from tests.serving import Person, Serving, serving


@pytest.fixture(scope="module")
def served(cluster: Cluster, catalog_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    name = f"{catalog_template}_{ids.token(6).lower().replace('-', '_')}"
    admin_url = cluster.create_database(name, template=catalog_template)
    routers = [identity_api.router, api.router, blob_api.router]
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("instance")
        yield stack.enter_context(serving(folder, admin_url, cluster.url_for("cupola_server", name), routers))


@pytest.fixture(scope="module")
def owner(served: Serving) -> Person:
    return served.owner("Acme")


@pytest.fixture(scope="module")
def rival(served: Serving) -> Person:
    return served.owner("Rival")


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def new_dataset(person: Person) -> str:
    return str(ok(person.client.post("/api/datasets", json={"name": f"D {ids.token(6)}", "licence": "CC0"}), 201)["id"])


def pictures(n: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(n):
            picture = io.BytesIO()
            Image.new("L", (8, 8), number).save(picture, "PNG")
            archive.writestr(f"{number:03}.png", picture.getvalue())
        archive.writestr("bad.png", b"bad")
    return out.getvalue()


def imported(served: Serving, person: Person, dataset: str, source: dict[str, Any]) -> Any:
    started = ok(person.client.post(f"/api/datasets/{dataset}/imports", json={"source": source}), 201)
    assert started["state"] == "waiting"
    served.call(lambda run: jobs.run_import(run, UUID(person.tenant), UUID(started["id"])))
    return ok(person.client.get(f"/api/imports/{started['id']}"))


def test_from_an_upload_to_pictures_on_the_screen(served: Serving, owner: Person) -> None:
    dataset = new_dataset(owner)
    sent = owner.client.put(f"/api/datasets/{dataset}/uploads?name=digits.zip", content=pictures(5))
    upload = ok(sent, 201)["upload"]
    done = imported(served, owner, dataset, {"type": "upload", "upload": upload})
    assert (done["state"], done["found"], done["accepted"], done["refused"]) == ("done", 6, 5, 1)
    served.call(lambda run: jobs.make_thumbnails(run, UUID(owner.tenant)))
    assert ok(owner.client.get(f"/api/datasets/{dataset}"))["items"] == 5
    [refusal] = ok(owner.client.get(f"/api/imports/{done['id']}/refusals"))["items"]
    assert (refusal["ref"], refusal["reason"]) == ("bad.png", "wrong-type")

    page = ok(owner.client.get(f"/api/datasets/{dataset}/items?limit=3"))
    rest = ok(owner.client.get(f"/api/datasets/{dataset}/items?limit=3&cursor={page['next']}"))
    assert [item["ref"] for item in page["items"] + rest["items"]] == [f"{n:03}.png" for n in range(5)]
    assert rest["next"] is None
    item = page["items"][1]
    assert (item["width"], item["height"], item["media_type"]) == (8, 8, "image/png")
    shown = owner.client.get(item["url"])
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/png"
    assert "sandbox" in shown.headers["content-security-policy"]
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.getpixel((0, 0)) == 1
    part = owner.client.get(item["url"], headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert owner.client.get(item["thumb_url"]).status_code == 200
    [listed] = ok(owner.client.get(f"/api/datasets/{dataset}/imports"))["items"]
    assert listed["id"] == done["id"]


def test_a_signed_address_is_for_the_one_it_was_given_to(served: Serving, owner: Person, rival: Person) -> None:
    dataset = new_dataset(owner)
    upload = ok(owner.client.put(f"/api/datasets/{dataset}/uploads?name=x.zip", content=pictures(1)), 201)["upload"]
    imported(served, owner, dataset, {"type": "upload", "upload": upload})
    url = ok(owner.client.get(f"/api/datasets/{dataset}/items"))["items"][0]["url"]
    assert owner.client.get(url).status_code == 200
    assert rival.client.get(url).status_code == 403
    assert served.client().get(url).status_code == 401
    assert owner.client.get(url.split("?")[0]).status_code == 403


def test_what_belongs_to_another_tenant_is_absent(served: Serving, owner: Person, rival: Person) -> None:
    dataset = new_dataset(owner)
    upload = ok(owner.client.put(f"/api/datasets/{dataset}/uploads?name=x.zip", content=pictures(1)), 201)["upload"]
    done = imported(served, owner, dataset, {"type": "upload", "upload": upload})
    source = {"source": {"type": "upload", "upload": upload}}
    tries = [
        rival.client.get(f"/api/datasets/{dataset}"),
        rival.client.get(f"/api/datasets/{dataset}/items"),
        rival.client.get(f"/api/datasets/{dataset}/imports"),
        rival.client.post(f"/api/datasets/{dataset}/imports", json=source),
        rival.client.put(f"/api/datasets/{dataset}/uploads?name=x.zip", content=b"x"),
        rival.client.get(f"/api/imports/{done['id']}"),
        rival.client.get(f"/api/imports/{done['id']}/refusals"),
        rival.client.post(f"/api/imports/{done['id']}/resume"),
    ]
    assert [answer.status_code for answer in tries] == [404] * len(tries)
    assert dataset not in [row["id"] for row in ok(rival.client.get("/api/datasets"))["items"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"source": {"type": "carrier-pigeon"}}, 400),
        ({"source": {}}, 400),
        ({"source": {"type": "upload\0"}}, 400),
        ({"source": []}, 422),
        ({}, 422),
        ({"source": {"type": "urls", "urls": ["a\0"]}}, 400),
    ],
)
def test_an_import_that_cannot_be_is_refused(owner: Person, body: Any, status: int) -> None:
    answer = owner.client.post(f"/api/datasets/{new_dataset(owner)}/imports", json=body)
    assert answer.status_code == status, answer.text


def test_half_a_surrogate_pair_and_made_up_cursors_are_refused(owner: Person) -> None:
    dataset = new_dataset(owner)
    headers = {"Content-Type": "application/json"}
    for body in (b'{"source":{"type":"urls","urls":["\\ud800"]}}', b'{"source":{"type":"upload","\\ud800":1}}'):
        answer = owner.client.post(f"/api/datasets/{dataset}/imports", content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text
    for cursor in ("x", encode_cursor("a\0"), encode_cursor(7), encode_cursor(None)):
        answer = owner.client.get(f"/api/datasets/{dataset}/items", params={"cursor": cursor})
        assert answer.status_code == 400, answer.text


def test_a_dataset_needs_a_name_of_its_own(owner: Person) -> None:
    name = f"D {ids.token(6)}"
    ok(owner.client.post("/api/datasets", json={"name": name}), 201)
    assert owner.client.post("/api/datasets", json={"name": name}).status_code == 409
    for wrong in ("", "x" * 201, "a\0b"):
        assert owner.client.post("/api/datasets", json={"name": wrong}).status_code == 422


def test_an_import_asked_for_twice_with_one_key_is_one_import(owner: Person) -> None:
    dataset = new_dataset(owner)
    body = {"source": {"type": "urls", "urls": ["https://example.com/"]}}
    path, headers = f"/api/datasets/{dataset}/imports", {"Idempotency-Key": ids.token()}
    first, second = (ok(owner.client.post(path, json=body, headers=headers), 201) for _ in range(2))
    assert first == second
    assert len(ok(owner.client.get(path))["items"]) == 1


def test_an_empty_upload_is_refused_and_a_name_is_made_harmless(owner: Person) -> None:
    path = f"/api/datasets/{new_dataset(owner)}/uploads"
    assert owner.client.put(f"{path}?name=x", content=b"").status_code == 400
    made = ok(owner.client.put(path, params={"name": "../../a\\b\n.zip"}, content=b"x"), 201)
    sha256 = hashlib.sha256(b"x").hexdigest()
    assert made == {"upload": f"{sha256}/.._.._a_b_.zip", "bytes": 1}


def test_the_keys_of_a_bucket_are_not_shown(served: Serving, owner: Person) -> None:
    source = {"type": "s3", "url": "s3://b/p", "access_key_id": "AKIA", "secret_access_key": "very-secret"}
    dataset = new_dataset(owner)
    started = owner.client.post(f"/api/datasets/{dataset}/imports", json={"source": source})
    assert "very-secret" not in started.text
    assert ok(started, 201)["source"] == {"type": "s3", "url": "s3://b/p"}


class Elsewhere(BaseHTTPRequestHandler):
    """A host that keeps pictures, and a page that says it is one."""

    def do_GET(self) -> None:
        out = io.BytesIO()
        Image.new("L", (8, 8), 7).save(out, "PNG")
        status, body = {"/a": (200, out.getvalue()), "/b.png": (200, b"<script>")}.get(self.path, (404, b"absent"))
        self.send_response(status)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def test_what_is_kept_as_a_reference_is_shown_through_us(
    cluster: Cluster, catalog_template: str, tmp_path: Path
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_address[1]}"
    name = f"{catalog_template}_{ids.token(6).lower().replace('-', '_')}"
    admin_url = cluster.create_database(name, template=catalog_template)
    routers = [identity_api.router, api.router, reference_api.router]
    url = cluster.url_for("cupola_server", name)
    with serving(tmp_path / "instance", admin_url, url, routers, allowed_hosts=("127.0.0.1",)) as opened:
        owner = opened.owner("Acme")
        dataset = new_dataset(owner)
        urls = [f"{there}/{path}" for path in ("a", "b.png", "c.png")]
        imported(opened, owner, dataset, {"type": "urls", "urls": urls, "copy": False})
        picture, page, absent = (
            item["url"] for item in ok(owner.client.get(f"/api/datasets/{dataset}/items"))["items"]
        )
        assert all(one.startswith("/references?") for one in (picture, page, absent))
        shown = owner.client.get(picture)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
        with Image.open(io.BytesIO(shown.content)) as found:
            assert found.getpixel((0, 0)) == 7
        assert "private" in shown.headers["cache-control"]
        # what is no picture is never rendered, whatever it says of itself
        other = owner.client.get(page)
        assert other.headers["content-type"] == "application/octet-stream"
        assert other.headers["content-disposition"] == "attachment"
        assert owner.client.get(absent).status_code == 503
        # nobody else, and nothing else, is fetched with it
        assert opened.client().get(picture).status_code == 401
        assert owner.client.get(picture.replace("&u=", "&u=A")).status_code == 403
        assert opened.owner("Rival").client.get(picture).status_code == 403
    server.shutdown()
    server.server_close()
