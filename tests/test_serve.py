"""The page's server: what it answers, what it refuses, and that it says why in one line."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from struct import pack
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from small_index import HTML, small_index
from typer.testing import CliRunner

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx2")

from starlette.testclient import TestClient

from xmr_lib.cli import app as commands
from xmr_lib.errors import XmrError
from xmr_lib.index import Index, update
from xmr_lib.model.explain import RegionWeights
from xmr_lib.serve.app import make_app
from xmr_lib.serve.gallery import SupersededError, named
from xmr_lib.serve.limits import MOST_BYTES, TooMuchError, open_picture, read_body
from xmr_lib.serve.queries import KEPT_BYTES
from xmr_lib.serve.recent import Recent
from xmr_lib.serve.server import listen, server_of

HERE = "http://127.0.0.1:8642"


@pytest.fixture(scope="module")
def indexes(smoke_workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("indexes")
    first = small_index(smoke_workspace, "photos", folder)
    return [first, small_index(smoke_workspace, "linear & co", folder, "cca-mean", pictures=5)]


@pytest.fixture(scope="module")
def galleries(indexes):
    return named(indexes)


@pytest.fixture(scope="module")
def client(galleries):
    with TestClient(make_app(galleries), base_url=HERE) as opened:
        yield opened


def image_bytes(size=(64, 48), kind="PNG", colour=(200, 30, 30)):
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return data.getvalue()


def bomb(width, height):
    """The beginning of a PNG that says how large it is, and nearly nothing behind it."""

    def chunk(name, data):
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def search(client, index="photos", **asked):
    return client.get("/api/search", params={"index": index, **asked})


def refused(answer, status, said):
    """An answer that says what is wrong in one line, and no more."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"} and said in answer.json()["error"]
    assert "\n" not in answer.json()["error"] and len(answer.json()["error"]) < 250
    # All that is served here lies in folders of this name: no path is told.
    assert "pytest-" not in answer.json()["error"]
    return answer


def test_a_sentence_finds_pictures_as_the_index_does(client, indexes):
    found = search(client, q="a dog on the beach", top=7).json()
    assert list(found["hits"]) == ["image"] and found["milliseconds"] > 0
    expected = indexes[0].search("a dog on the beach", "image", 7)
    assert [hit["id"] for hit in found["hits"]["image"]] == [hit.id for hit in expected]
    assert [hit["score"] for hit in found["hits"]["image"]] == pytest.approx([hit.score for hit in expected], abs=1e-5)
    assert [hit["rank"] for hit in found["hits"]["image"]] == list(range(1, 8))
    assert str(Path(expected[0].path).parent) not in json.dumps(found), "no path of this machine is told"


def test_what_is_indexed_while_the_page_is_open_is_found(smoke_workspace, tmp_path):
    small_index(smoke_workspace, "growing", tmp_path, pictures=5)
    with TestClient(make_app(named([Index.open(tmp_path / "growing")])), base_url=HERE) as client:
        assert len(search(client, "growing", q="a red square", top=20).json()["hits"]["image"]) == 5
        Image.new("RGB", (60, 60), "red").save(tmp_path / "growing pictures" / "new.png")
        update(Index.open(tmp_path / "growing"), progress=False)
        found = search(client, "growing", q="a red square", top=20).json()["hits"]["image"]
        assert len(found) == 6 and "new.png" in {hit["name"] for hit in found}


def test_a_picture_that_is_sent_finds_sentences_and_pictures(client, indexes):
    path = indexes[0].search("a dog", "image", 1)[0].path
    key = client.post("/api/pictures", content=path.read_bytes()).json()["picture"]
    found = search(client, picture=key, top=3).json()["hits"]
    assert len(found["image"]) == len(found["text"]) == 3
    assert found["image"][0]["name"] == path.name, "the picture itself is the nearest"
    preview = client.get(f"/pictures/{key}.jpg")
    assert preview.headers["content-type"] == "image/jpeg" and "immutable" in preview.headers["cache-control"]
    assert Image.open(io.BytesIO(preview.content)).format == "JPEG"
    # The same file has the same name, and what an item of the index gives is what its file gives.
    assert client.post("/api/pictures", content=path.read_bytes()).json()["picture"] == key
    item = search(client, item=str(found["image"][0]["id"]), of="photos", top=3).json()["hits"]
    assert [hit["id"] for hit in item["text"]] == [hit["id"] for hit in found["text"]]


def test_an_item_of_one_index_is_searched_in_another(client):
    first = search(client, q="a dog").json()["hits"]["image"][0]
    found = search(client, "linear & co", item=str(first["id"]), of="photos").json()["hits"]
    assert len(found["image"]) == 5 and len(found["text"]) > 5
    sentence = found["text"][0]
    other = search(client, "photos", item=str(sentence["id"]), of="linear & co").json()["hits"]
    assert list(other) == ["image"], "a sentence is searched with as a sentence"


def test_the_page_says_what_each_model_has_learned_from(client, indexes):
    facts, texts = client.get("/api/indexes").json(), indexes[0].counts["text"]
    assert [about["name"] for about in facts["indexes"]] == ["photos", "linear & co"]
    lines = facts["indexes"][0]["lines"]
    assert lines[0] == "ab-infonce-meanmax" and lines[2] == "track clean"
    assert lines[1] == "trained on scenes (60 drawn pictures: expect little on photographs)"
    assert facts["indexes"][0]["counts"] == {"image": 20, "text": texts}
    assert facts["limits"]["bytes"] == MOST_BYTES


def test_what_a_match_rests_on(client, galleries, monkeypatch):
    hit = search(client, q="a dog on the beach").json()["hits"]["image"][0]
    asked = {"index": "photos", "q": "a dog on the beach", "hit": hit["id"]}
    found = client.get("/api/explain", params=asked).json()
    assert found["regions"] is None, "this model has no attention"
    assert found["words"]["measure"] == "leave-one-out" and found["words"]["words"] == asked["q"].split()
    seen = []

    def explained(model, picture):
        seen.append(picture.size)
        boxes = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.5, 0.9]], np.float32)
        return RegionWeights("m", boxes, np.array([0.25, 0.75], np.float32), ("", "dog"))

    monkeypatch.setattr("xmr_lib.serve.gallery.explain_picture", explained)
    found = client.get("/api/explain", params=asked).json()["regions"]
    assert found["weights"] == [0.25, 0.75] and found["names"] == ["", "dog"] and seen == [(224, 224)]
    # Of a sentence that was found for a picture: its words, and the regions of the picture that was sent.
    key = client.post("/api/pictures", content=image_bytes((60, 30))).json()["picture"]
    sentence = search(client, picture=key).json()["hits"]["text"][0]
    found = client.get("/api/explain", params={"index": "photos", "picture": key, "hit": sentence["id"]}).json()
    assert found["words"]["words"] == sentence["text"].split() and seen[-1] == (60, 30)


@pytest.mark.parametrize("text", ["", "   ", "?!…", "\0", "\u200b"])
def test_nothing_to_search_with_is_said(client, text):
    refused(search(client, q=text), 400, "no word in it")
    refused(client.get("/api/search?index=photos"), 400, "no word in it")


@pytest.mark.parametrize(
    "text",
    ["犬", "a" * 500, "dog " * 499, "<script>alert(1)</script>", "naïve café 🐕", "' OR 1=1 --", "%00 dog", "a\ndog"],
)
def test_odd_sentences_are_searched_with(client, text):
    assert len(search(client, q=text).json()["hits"]["image"]) == 20


def test_half_a_character_is_no_reason_to_stop(client):
    assert client.get("/api/search?index=photos&q=dog%ed%a0%80").status_code == 200
    assert client.get("/api/search?index=photos&q=dog%ff").status_code == 200


def test_a_long_sentence_is_refused(client):
    refused(search(client, q="dog " * 2500), 413, "10,000 characters; 2,000 are taken")


@pytest.mark.parametrize("top", ["0", "97", "-1", "x", "1e2", "٣", "9" * 400])
def test_numbers_out_of_bounds_are_refused(client, top):
    refused(search(client, q="dog", top=top), 400, "is no number from 1 to 96")


def test_html_is_data_and_no_markup(client):
    answer = search(client, "photos", q=HTML)
    assert answer.headers["content-type"] == "application/json"
    key = client.post("/api/pictures", content=image_bytes()).json()["picture"]
    texts = [hit["text"] for hit in search(client, picture=key, top=96).json()["hits"]["text"]]
    assert HTML in texts or len(texts) == 96
    refused(search(client, HTML, q="dog"), 404, "no index")


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 400, "the file is empty"),
        (b"no picture at all", 400, "no picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", 400, "no picture that can be read"),
        (image_bytes()[:60], 400, "the picture is damaged"),
        (image_bytes((300, 300), "JPEG")[:-600], 400, "the picture is damaged"),
        (bomb(10_000, 10_000), 413, "10,000 × 10,000 pixels; 50 million are taken"),
        (bomb(60_000, 60_000), 413, "too many pixels"),
        (bomb(0, 5), 400, "no picture that can be read"),
        (bytes(MOST_BYTES + 1), 413, "pictures up to 20 MB are taken"),
    ],
    ids=["empty", "text", "postscript", "cut png", "cut jpeg", "100 megapixels", "3.6 gigapixels", "no width", "large"],
)
def test_what_is_no_picture_is_refused(client, data, status, said):
    refused(client.post("/api/pictures", content=data), status, said)


def test_a_file_that_is_too_large_is_refused_as_soon_as_it_is():
    sent = []

    async def parts():
        for _ in range(50):
            sent.append(1)
            yield bytes(1_000_000)

    for announced in (None, "3", "x"):
        sent.clear()
        with pytest.raises(TooMuchError, match="20 MB"):
            asyncio.run(read_body(parts(), announced))
        assert len(sent) == 21
    sent.clear()
    with pytest.raises(TooMuchError, match="has 50 MB"):
        asyncio.run(read_body(parts(), "50000000"))
    assert not sent


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_pictures_of_all_kinds_are_taken(client, kind):
    key = client.post("/api/pictures", content=image_bytes(kind=kind)).json()["picture"]
    assert len(search(client, picture=key).json()["hits"]["image"]) == 20


def test_pictures_of_odd_shapes_and_modes_are_taken(client):
    for image in (
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (20_000, 1)),
        Image.new("RGBA", (30, 30), (0, 0, 0, 0)),
        Image.new("P", (30, 30)),
        Image.new("1", (30, 30)),
        Image.new("CMYK", (30, 30)),
    ):
        data = io.BytesIO()
        image.save(data, "TIFF")
        answer = client.post("/api/pictures", content=data.getvalue())
        assert search(client, picture=answer.json()["picture"]).status_code == 200, (image.mode, image.size)


def test_a_picture_is_turned_upright():
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(data, "JPEG", exif=exif)
    assert open_picture(data.getvalue()).size == (20, 40)


def test_thumbnails_are_kept_by_the_browser_and_come_by_number_alone(client, indexes):
    hit = indexes[0].search("a dog", "image", 1)[0]
    answer = client.get(f"/thumbnails/photos/{hit.id}/320.jpg")
    assert "immutable" in answer.headers["cache-control"] and answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) <= 320
    assert client.get(f"/thumbnails/linear%20%26%20co/{indexes[1].search('a', 'image', 1)[0].id}/1024.jpg").is_success
    refused(client.get(f"/thumbnails/photos/{hit.id}/321.jpg"), 404, "320 or 1024")
    for number in ("999999", "9" * 18):
        refused(
            client.get(f"/thumbnails/photos/{number}/320.jpg"),
            400,
            f"photos: there is nothing under the number {number}",
        )
    sentence = indexes[0].search("a dog", "text", 1)[0]
    refused(client.get(f"/thumbnails/photos/{sentence.id}/320.jpg"), 400, "is a sentence, no picture")


def test_a_picture_whose_file_is_gone_is_told(client, indexes):
    hit = indexes[1].search("a dog", "image", 5)[-1]
    hit.path.rename(hit.path.with_suffix(".away"))
    try:
        answer = client.get("/api/explain", params={"index": "linear & co", "q": "a dog", "hit": hit.id})
        refused(answer, 400, "can't be read")
        assert search(client, "linear & co", q="a dog").status_code == 200
        refused(search(client, item=str(hit.id), of="linear & co"), 400, "can't be read")
        refused(client.get(f"/thumbnails/linear%20%26%20co/{hit.id}/1024.jpg"), 400, "can't be read")
    finally:
        hit.path.with_suffix(".away").rename(hit.path)


@pytest.mark.parametrize(
    "address",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/page.html%00",
        "/pictures/..%2f..%2fetc%2fpasswd.jpg",
        "/thumbnails/photos/..%2f..%2f..%2fetc%2fpasswd/320.jpg",
        "/thumbnails/..%2f..%2fetc/1/320.jpg",
        "/thumbnails/photos/-1/320.jpg",
        "/thumbnails/photos/1.5/320.jpg",
        "/etc/passwd",
        "//etc/passwd",
        "/api/search?index=../../etc&q=dog",
        "/api/search?index=photos&item=../../etc/passwd&of=photos",
        "/api/search?index=photos&item=1&of=../../etc",
        "/api/search?index=photos&picture=../../../etc/passwd",
        "/api/explain?index=photos&q=dog&hit=/etc/passwd",
    ],
)
def test_no_path_leads_out(client, address):
    answer = client.get(address)
    assert answer.status_code in (400, 404) and set(answer.json()) == {"error"}
    assert "root:" not in answer.text and "import " not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", "", "localhost.evil:1"]
)
def test_another_name_than_this_machines_is_refused(client, host):
    for address in ("/", "/api/indexes", "/static/page.js", "/thumbnails/photos/1/320.jpg"):
        refused(client.get(address, headers={"Host": host}), 403, "localhost and 127.0.0.1 alone")


@pytest.mark.parametrize("host", ["localhost:8642", "127.0.0.1", "LOCALHOST:9000", "[::1]:8642"])
def test_this_machine_is_known_by_its_names_at_any_port(client, host):
    assert client.get("/api/indexes", headers={"Host": host}).status_code == 200


def test_another_page_gets_nothing(client):
    for site in ("cross-site", "same-site"):
        from_elsewhere = {"Sec-Fetch-Site": site}
        refused(client.post("/api/pictures", content=image_bytes(), headers=from_elsewhere), 403, "another page")
        refused(client.get("/api/search?index=photos&q=dog", headers=from_elsewhere), 403, "another page")
        assert client.get("/", headers=from_elsewhere).status_code == 200, "a link may lead here"


def test_every_answer_is_guarded(client):
    for address in ("/", "/static/page.js", "/api/indexes", "/nothing", "/api/search?index=photos"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin" and "server" not in headers


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script(client):
    page = client.get("/").text
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "") and "https:" not in page
    assert "style=" not in page and " onclick" not in page and "<script>" not in page
    for name in ("page.css", "page.js", "state.js", "results.js", "large.js"):
        text = client.get(f"/static/{name}").text
        assert "//" not in text.replace("// ", "").replace("://", ":") or "http" not in text
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text and "document.write" not in text


def test_other_methods_are_refused(client):
    for method in ("POST", "PUT", "DELETE"):
        refused(client.request(method, "/api/search?index=photos&q=dog"), 405, "can't be asked here")
    refused(client.get("/api/pictures"), 405, "can't be asked here")


def test_a_fault_is_told_in_one_line_and_in_the_terminal(client, galleries, monkeypatch, capsys):
    def broken(*_, **__):
        raise RuntimeError("inner secret")

    monkeypatch.setattr(galleries["photos"], "search", broken)
    answer = refused(search(client, q="dog"), 500, "the terminal")
    assert "secret" not in answer.text and "inner secret" in capsys.readouterr().err


def test_what_nobody_waits_for_is_not_computed(galleries):
    done = []

    async def no():
        return False

    with pytest.raises(SupersededError):
        asyncio.run(galleries["photos"].compute(lambda: done.append(1), no))

    async def gone():
        sent = []
        scope = {
            "type": "http", "method": "GET", "path": "/api/search", "raw_path": b"/api/search", "root_path": "",
            "query_string": b"index=photos&q=a+word+never+asked", "headers": [(b"host", b"localhost")],
            "http_version": "1.1",
        }  # fmt: skip

        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await make_app(galleries)(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(gone()) == 499 and done == []
    assert galleries["photos"]._embeddings.get(("text", "a word never asked")) is None


def test_two_indexes_of_one_name_are_told_apart(indexes):
    assert list(named([indexes[0], indexes[0], indexes[1]])) == ["photos", "photos (2)", "linear & co"]
    with pytest.raises(XmrError, match="no index is given"):
        named([])


def test_what_was_not_used_the_longest_is_forgotten():
    kept = Recent(10, len)
    for name in ("abc", "def", "ghi"):
        kept.put(name, name)
    assert kept.get("abc") == "abc"
    kept.put("jklm", "jklm")
    assert kept.get("def") is None and kept.get("abc") and kept.get("jklm")
    kept.put("long", "x" * 99)
    assert kept.get("long") and kept.get("abc") is None
    kept.put("long", "y")
    kept.put("abc", "abc")
    assert kept.get("long") == "y" and kept.get("abc")
    assert KEPT_BYTES >= 2 * MOST_BYTES


def test_a_picture_of_long_ago_is_asked_for_again(client):
    refused(search(client, picture="0" * 32), 404, "choose it again")
    refused(client.get("/pictures/0000.jpg"), 404, "choose it again")


def test_a_port_in_use_is_said_in_one_line():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(XmrError, match=rf"port {port} is in use; give another one: --port {port + 1}"):
            listen("127.0.0.1", port)
    with pytest.raises(XmrError, match=r"give another --port or --host"):
        listen("192.0.2.1", 0)


def test_who_listens_elsewhere_answers_to_that_name_too(galleries):
    def guards(host):
        return TestClient(server_of(galleries, host).config.app, base_url="http://192.0.2.1:8642")

    assert guards("127.0.0.1").get("/").status_code == 403
    assert guards("192.0.2.1").get("/").status_code == 200
    assert guards("0.0.0.0").get("/").status_code == 200


def test_a_missing_package_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("xmr_lib.cli.serve.find_spec", lambda name: None if name == "uvicorn" else name)
    result = CliRunner().invoke(commands, ["serve", str(tmp_path)])
    assert isinstance(result.exception, XmrError)
    assert str(result.exception) == "the page needs uvicorn: pip install 'xmr[serve]'"


def test_no_index_is_said_in_one_line(tmp_path):
    result = CliRunner().invoke(commands, ["serve", str(tmp_path), "--port", "0", "--no-browser"])
    assert isinstance(result.exception, XmrError) and "\n" not in str(result.exception)


def test_a_server_tells_its_address_and_ends_quietly(indexes, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "XMR_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "xmr_lib", "serve", str(indexes[1].folder), "--port", "0", "--no-browser"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        about, told = server.stdout.readline(), server.stdout.readline()
        assert about.startswith("linear & co: 5 pictures, ") and "cca-mean" in about
        address = told.removesuffix(" (Ctrl-C ends it)\n")
        assert address.startswith("http://127.0.0.1:") and address.endswith("/")
        with urlopen(f"{address}api/search?index=linear%20%26%20co&q=a+dog", timeout=60) as answer:
            assert len(json.load(answer)["hits"]["image"]) == 5
        server.send_signal(signal.SIGINT)
        out, errors = server.communicate(timeout=30)
    assert (server.returncode, out.strip(), errors) == (0, "", "")
