"""Pages in a real browser: no errors, the film plays, the timeline follows, tables sort, nothing of the data runs."""

import shutil
import time

import pandas as pd
import pytest

from vidlink.report.page.run_page import page_of_folder
from vidlink.sweeping.page import page_of_sweep


@pytest.fixture(scope="module")
def browser():
    """A Chromium without a window; skips where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("the programs 'chromium' and 'chromedriver' are not on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    started.set_script_timeout(60)
    yield started
    started.quit()


def opened(browser, path):
    browser.get(path.resolve().as_uri())
    return browser.execute_script


def errors(browser):
    return [entry["message"] for entry in browser.get_log("browser")]


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


def test_the_film_plays_and_the_caption_follows(browser, run):
    script = opened(browser, run / "report.html")
    script("document.getElementById('video').play()")
    until(lambda: script("return document.getElementById('video').currentTime") > 0.3)
    assert script("return document.getElementById('video').videoWidth") == 2 * 96
    frames = pd.read_csv(run / "frames.csv")
    bad = frames[frames["status"] != "ok"].iloc[0]
    script("document.getElementById('video').pause(); document.getElementById('video').currentTime = 0")
    until(lambda: "frame 0:" in script("return document.getElementById('words').textContent"))
    script("document.getElementById('damage').click()")
    until(lambda: f"frame {bad['frame']}:" in script("return document.getElementById('words').textContent"))
    chip = script("return document.getElementById('chip').textContent")
    caption = [chip, script("return document.getElementById('player').dataset.fate")]
    assert caption == [bad["status"], bad["status"]]
    shown = script("return document.getElementById('video').currentTime")
    assert shown == pytest.approx(bad["time_s"], abs=0.01)
    assert errors(browser) == []


def test_the_timeline_goes_to_its_moment(browser, run):
    script = opened(browser, run / "report.html")
    until(lambda: script("return document.getElementById('video').readyState") >= 2)
    script(
        "const box = document.getElementById('lanes'), r = box.getBoundingClientRect();"
        "box.querySelector('svg.drawing').dispatchEvent(new PointerEvent('pointerdown',"
        "{bubbles: true, pointerType: 'touch', clientX: r.left + r.width / 2, clientY: r.top + 20}));"
    )
    until(lambda: abs(script("return document.getElementById('video').currentTime") - 1) < 0.05)
    script(
        "const slider = document.getElementById('time'); slider.value = 0.4;"
        "slider.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    until(lambda: abs(script("return document.getElementById('video').currentTime") - 0.4) < 0.05)
    assert "s, frame" in script("return document.getElementById('time').getAttribute('aria-valuetext')")
    assert script("return document.getElementById('cursor').style.left")[:2] == "20"
    assert errors(browser) == []


def test_where_a_film_cannot_be_played_from_the_page_it_is_played_from_memory(browser, run):
    script = opened(browser, run / "report.html")
    script("document.getElementById('video').dispatchEvent(new Event('error'))")
    assert script("return document.getElementById('video').src.slice(0, 5)") == "blob:"
    until(lambda: script("return document.getElementById('video').readyState") >= 2)
    assert errors(browser) == []


def test_a_film_beside_the_page_plays(browser, run, monkeypatch):
    monkeypatch.setattr("vidlink.report.page.film.LARGEST_BYTES", 1000)
    (run / "report.html").write_text(page_of_folder(run))
    script = opened(browser, run / "report.html")
    until(lambda: script("return document.getElementById('video').readyState") >= 2)
    assert errors(browser) == []


def test_markup_in_names_does_not_run(browser, marked_run):
    (marked_run / "report.html").write_text(page_of_folder(marked_run))
    script = opened(browser, marked_run / "report.html")
    assert script("return document.querySelectorAll('img[src=x]').length") == 0
    assert "onerror=alert(1)" in script("return document.querySelector('h1').textContent")
    # What got in all the same would not run.
    script("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"window.struck = 1\">')")
    until(lambda: any("Content Security Policy" in line for line in errors(browser)))
    assert script("return window.struck === undefined")


@pytest.mark.parametrize("width", [320, 1200])
def test_the_page_is_as_wide_as_the_screen(browser, run, width):
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        script = opened(browser, run / "report.html")
        assert script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_table_is_sorted_and_filtered(browser, swept):
    (swept / "report.html").write_text(page_of_sweep(swept))
    script = opened(browser, swept / "report.html")
    heads = script("return [...document.querySelectorAll('#table th')].map((each) => each.textContent)")
    column = heads.index("wire kb/s")

    def cells():
        return script(
            "return [...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden)"
            f".map((row) => row.cells[{column}].textContent)"
        )

    before = cells()
    done = sorted((cell for cell in before if cell != "–"), key=float)
    for order, wanted in (("ascending", done), ("descending", done[::-1])):
        script(f"document.querySelectorAll('#table button.sort')[{column}].click()")
        assert cells() == wanted + ["–"] * (len(before) - len(done))
        sort = f"return document.querySelectorAll('#table th')[{column}].getAttribute('aria-sort')"
        assert script(sort) == order
    script("const box = document.getElementById('words'); box.value = 'BERNOULLI done';"
           "box.dispatchEvent(new Event('input', {bubbles: true}))")  # fmt: skip
    assert len(cells()) == 3
    assert script("return document.getElementById('shown').textContent") == f"3 of {len(before)} rows"
    assert errors(browser) == []
