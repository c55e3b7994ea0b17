"""The page in a real browser: typing, pictures, odd input, keys alone, a narrow screen; nothing leaves this machine."""

import io
import shutil
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from small_index import HTML, small_index
from test_serve import bomb, image_bytes

pytest.importorskip("playwright")
pytest.importorskip("uvicorn")

from playwright.sync_api import expect, sync_playwright

from xmr_lib.model.explain import RegionWeights
from xmr_lib.serve.gallery import named
from xmr_lib.serve.server import listen, server_of

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt install chromium")
SECONDS = 20_000
"""In milliseconds: what a busy machine may take."""


@pytest.fixture(scope="module")
def address(smoke_workspace, tmp_path_factory):
    """The page, served by a thread, on two indexes."""
    folder = tmp_path_factory.mktemp("indexes")
    indexes = [small_index(smoke_workspace, name, folder, model) for name, model in WITH.items()]
    with listen("127.0.0.1", 0) as listening:
        server = server_of(named(indexes), "127.0.0.1")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)


WITH = {"photos": "ab-infonce-meanmax", "linear & co": "cca-mean"}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser, address):
    """A function that opens a tab; every request and every error of all tabs is looked at in the end."""
    contexts, asked, errors = [], [], []

    def opened(at="", **options):
        context = browser.new_context(**options)
        context.set_default_timeout(SECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: "Security Policy" in line.text and errors.append(line.text))
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        page.goto(address + at)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked and {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
    assert errors == []


@pytest.fixture
def page(open_page):
    return open_page()


def found(page, pictures=20):
    """Wait for as many pictures, all of them loaded."""
    expect(page.locator(".hit.picture")).to_have_count(pictures, timeout=SECONDS)
    # Playwright's own waiting for a function would be stopped by the page's policy.
    end = time.monotonic() + SECONDS / 1000
    while not page.evaluate("[...document.querySelectorAll('.hit img')].every((image) => image.naturalWidth > 0)"):
        assert time.monotonic() < end, "a thumbnail did not come"
        page.wait_for_timeout(20)


def drop(page, name, data, kind="image/png"):
    page.locator("#file").set_input_files([{"name": name, "mimeType": kind, "buffer": data}])


def error(page, said):
    expect(page.locator("#error")).to_contain_text(said, timeout=SECONDS)
    assert "\n" not in page.text_content("#error").strip()


def in_focus(page):
    return page.evaluate("document.activeElement.id || document.activeElement.className")


def test_typing_finds_pictures_as_soon_as_it_stops(page):
    asked = []
    page.on("request", lambda request: "/api/search" in request.url and asked.append(request.url))
    page.locator("#sentence").press_sequentially("a dog on the beach", delay=20)
    found(page)
    assert len(asked) == 1, "keys that follow each other are one question"
    expect(page.locator("#status")).to_contain_text("20 pictures in")
    expect(page.locator(".about")).to_contain_text("60 drawn pictures: expect little on photographs")
    # With the query bank the order is another one than that of the similarities.
    page.locator("#bank").uncheck()
    expect(page.locator("#status")).to_contain_text("20 pictures in")
    page.wait_for_timeout(500)
    scores = [float(text.replace("−", "-")) for text in page.locator(".hit .score").all_text_contents()]
    assert scores == sorted(scores, reverse=True)
    assert page.title().startswith("a dog on the beach")
    page.fill("#sentence", "")
    expect(page.locator(".hit")).to_have_count(0)
    expect(page.locator(".empty")).to_contain_text("Type a sentence")


def test_a_question_that_was_given_up_is_taken_back(page):
    held, given_up = [], []
    page.route("**/api/search?*q=slow*", lambda route: held.append(route))
    page.on("requestfailed", lambda request: given_up.append(request.url))
    page.fill("#sentence", "slow")
    while not held:
        page.wait_for_timeout(20)
    page.fill("#sentence", "a dog")
    found(page)
    assert len(given_up) == 1 and "q=slow" in given_up[0]
    assert "q=a+dog" in page.url and page.text_content("#error") == ""


def test_a_picture_finds_sentences_and_pictures(page):
    drop(page, "red.png", image_bytes())
    found(page)
    assert page.locator(".hit.sentence").count() == 24
    expect(page.locator("#asked")).to_contain_text("red.png")
    expect(page.locator("#asked-picture")).to_have_js_property("naturalWidth", 64)
    # It is still there after a reload, and goes with a key.
    page.reload()
    found(page)
    expect(page.locator("#asked")).to_contain_text("red.png")
    page.click("#remove")
    expect(page.locator("#asked")).to_be_hidden()
    expect(page.locator(".hit")).to_have_count(0)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(page, way):
    page.evaluate(
        """async (way) => {
            const canvas = document.createElement("canvas");
            const blob = await new Promise((done) => canvas.toBlob(done));
            const files = new DataTransfer();
            files.items.add(new File([blob], "given.png", { type: "image/png" }));
            const body = document.body;
            const pasted = new ClipboardEvent("paste", { clipboardData: files, bubbles: true });
            if (way === "paste") return void body.dispatchEvent(pasted);
            for (const name of ["dragenter", "dragover", "drop"])
                body.dispatchEvent(new DragEvent(name, { dataTransfer: files, bubbles: true, cancelable: true }));
        }""",
        way,
    )
    found(page)
    expect(page.locator("#asked")).to_contain_text("given.png")
    expect(page.locator("#drop")).to_be_hidden()


def test_what_can_not_be_used_is_said_in_one_line(page, tmp_path):
    with (tmp_path / "film.png").open("wb") as film:
        film.truncate(49_999_999)
    page.locator("#file").set_input_files(tmp_path / "film.png")
    error(page, "film.png has 50 MB; pictures up to 20 MB are taken")
    for name, data, said in (
        ("cut.png", image_bytes()[:60], "cut.png: the picture is damaged"),
        ("bomb.png", bomb(10_000, 10_000), "bomb.png: the picture has 10,000 × 10,000 pixels; 50 million are taken"),
        ("letter.jpg", b"Dear reader, this is a text.", "letter.jpg: this is no picture that can be read"),
        ("empty.jpg", b"", "empty.jpg: the file is empty"),
    ):
        drop(page, name, data)
        error(page, said)
    page.fill("#sentence", "dog " * 2500)
    error(page, "The sentence has 10,000 characters; 2,000 are taken.")
    page.fill("#sentence", "?!")
    error(page, "there is no word in it")
    page.fill("#sentence", "a dog")
    found(page)
    assert page.text_content("#error") == ""


def test_html_is_shown_as_text(open_page):
    page = open_page()
    page.fill("#sentence", HTML)
    found(page)
    assert page.title().startswith("<script>"), "it is the title that was typed, and no script changed it"
    drop(page, "<img src=x onerror=alert(1)>.png", image_bytes())
    found(page)
    expect(page.locator("#asked-name")).to_have_text("<img src=x onerror=alert(1)>.png")
    for _ in range(2):
        page.locator(".more").click()
        page.wait_for_timeout(600)
    expect(page.locator(".hit.sentence").first).to_be_visible()
    shown = page.locator(".hit.sentence .text").all_text_contents()
    assert HTML in shown
    page.locator(".hit.sentence").nth(shown.index(HTML)).click()
    expect(page.locator("#large-name")).to_have_text(HTML)
    expect(page.locator("#words-note")).to_contain_text("leave-one-out", timeout=SECONDS)
    assert page.locator(".hit b, #large-name *, #words b, #words img").count() == 0


def test_one_large_says_what_the_match_rests_on(page, monkeypatch):
    boxes = np.array([[0, 0, 1, 1], [0.25, 0.5, 0.75, 1]], np.float32)
    weights = RegionWeights("attentive", boxes, np.array([0.2, 0.8], np.float32), ("", "dog"))
    monkeypatch.setattr("xmr_lib.serve.gallery.explain_picture", lambda model, picture: weights)
    page.fill("#sentence", "a dog on the beach")
    found(page)
    page.locator(".hit").nth(2).click()
    expect(page.locator("#words span")).to_have_count(5, timeout=SECONDS)
    expect(page.locator("#words-note")).to_contain_text("leave-one-out, ab-infonce-meanmax")
    expect(page.locator("#regions li")).to_have_count(2)
    assert page.locator("#regions li").all_text_contents() == ["1dog80 %", "whole picture20 %"]
    picture, frame = page.locator("#large-picture").bounding_box(), page.locator(".frame").bounding_box()
    assert frame["x"] == pytest.approx(picture["x"] + picture["width"] / 4, abs=1.5)
    assert frame["y"] == pytest.approx(picture["y"] + picture["height"] / 2, abs=1.5)
    assert frame["width"] == pytest.approx(picture["width"] / 2, abs=1.5)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#large-score")).to_contain_text("Number 4")
    page.click("#with-this")
    expect(page.locator("#asked")).to_be_visible()
    found(page)
    expect(page.locator(".hit.picture .score").first).to_have_text("1.000")


def test_keys_alone_are_enough(page):
    assert in_focus(page) == "sentence"
    page.keyboard.type("a dog")
    found(page)
    page.keyboard.press("ArrowDown")
    hits = page.locator(".hit")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("[...document.querySelectorAll('.hit')].indexOf(document.activeElement)")
    assert below > 2
    page.keyboard.press("ArrowUp")
    expect(hits.nth(1)).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the focus is can be seen"
    page.keyboard.press("Enter")
    expect(page.locator("#large")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()
    expect(hits.nth(2)).to_be_focused()
    page.keyboard.press("/")
    assert in_focus(page) == "sentence"
    # Tab leads through everything once, and through the results as one stop.
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(in_focus(page))
    assert order[:4] == ["choose", "index", "compare", "bank"] and order.count("hit picture") == 1


def test_the_address_keeps_what_is_asked(page, address):
    page.fill("#sentence", "a dog")
    page.keyboard.press("Enter")
    found(page)
    page.fill("#sentence", "a boat")
    page.keyboard.press("Enter")
    expect(page).to_have_title("a boat – XMR")
    page.select_option("#index", "linear & co")
    expect(page.locator(".about")).to_contain_text("cca-mean")
    assert "q=a+boat" in page.url and "index=linear" in page.url
    page.reload()
    found(page)
    assert page.input_value("#sentence") == "a boat" and page.input_value("#index") == "linear & co"
    page.go_back()
    expect(page.locator(".about")).to_contain_text("ab-infonce-meanmax")
    page.go_back()
    expect(page.locator("#sentence")).to_have_value("a dog")
    page.goto(address + "#q=a+boat&index=unknown&second=unknown&picture=")
    page.reload()
    found(page)
    assert page.input_value("#index") == "photos"


def test_two_indexes_stand_side_by_side(page):
    page.fill("#sentence", "a dog")
    found(page)
    page.locator("#compare").check()
    found(page, 40)
    assert page.locator(".column h2").all_text_contents() == ["photos", "linear & co"]
    left, right = (page.locator(".column").nth(place).bounding_box() for place in (0, 1))
    assert left["x"] + left["width"] < right["x"] and left["y"] == right["y"]
    page.locator(".column").nth(1).locator(".hit").first.click()
    page.click("#with-this")
    expect(page.locator(".hit.sentence")).to_have_count(48, timeout=SECONDS)


def test_two_tabs_do_not_disturb_each_other(open_page):
    first, second = open_page(), open_page()
    first.fill("#sentence", "a dog")
    second.fill("#sentence", "a boat on the sea")
    found(first)
    found(second)
    names = [page.locator(".hit .name").all_text_contents() for page in (first, second)]
    assert names[0] != names[1]
    drop(second, "red.png", image_bytes())
    expect(second.locator("#asked")).to_be_visible()
    assert first.locator(".hit .name").all_text_contents() == names[0] and first.locator("#asked").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_narrow_screen(open_page, scheme):
    page = open_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)

    def wide():
        return page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")

    assert wide() == 360
    drop(page, f"{'long name ' * 12}{'x' * 90}.png", image_bytes())
    found(page)
    assert wide() == 360
    page.fill("#sentence", "x" * 300)
    page.locator("#compare").check()
    found(page, 40)
    assert wide() == 360
    page.locator(".hit").first.click()
    expect(page.locator("#large")).to_be_visible()
    assert wide() == 360
    assert page.locator("#large").evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_everything_has_a_name_and_can_be_read(open_page):
    for scheme in ("light", "dark"):
        page = open_page("#q=a+dog", color_scheme=scheme)
        found(page)
        nameless = page.evaluate(
            """() => {
                const named = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length;
                const fine = (one) => one.tagName === "IMG" ? one.hasAttribute("alt") : named(one);
                const all = [...document.querySelectorAll("button, input, select, img")];
                return all.filter((one) => !fine(one)).map((one) => one.outerHTML);
            }"""
        )
        assert nameless == []
        assert page.get_attribute("html", "lang") == "en" and page.locator("h1").count() == 1
        assert (
            page.get_attribute("#status", "aria-live") == "polite" and page.get_attribute("#error", "role") == "alert"
        )
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert len(ids) == len(set(ids))
        for selector in (".about", ".hit .name", ".hit .score", "#status", ".options label", "#choose"):
            assert contrast(page, selector) >= 4.5, (selector, scheme)


def contrast(page, selector):
    """The contrast of a text against what is behind it, as WCAG counts it."""
    colours = page.locator(selector).first.evaluate(
        """(one) => {
            const text = getComputedStyle(one).color;
            while (one && /, 0\\)|transparent/.test(getComputedStyle(one).backgroundColor)) one = one.parentElement;
            return [text, getComputedStyle(one ?? document.body).backgroundColor];
        }"""
    )
    light = []
    for colour in colours:
        parts = np.array([float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ np.array([0.2126, 0.7152, 0.0722])))
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_a_server_that_has_ended_is_said(page):
    page.route("**/api/search*", lambda route: route.abort())
    page.fill("#sentence", "a dog")
    error(page, "is 'xmr serve' still running?")


def test_a_photograph_of_a_telephone_is_taken(page):
    data = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((4000, 3000)).save(data, "JPEG", quality=80)
    drop(page, "photo.jpg", data.getvalue(), "image/jpeg")
    found(page)
