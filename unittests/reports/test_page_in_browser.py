"""A page in a real browser: the slider changes the picture, nothing is fetched, light and dark, wide and narrow."""
import numpy as np
import pytest
from browser import CHROMIUM, browser
from page_facts import HOSTILE, facts

from gluonzoo.pictures.decode import decode_image
from gluonzoo.reports.embedded import embedded
from gluonzoo.reports.page import page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason='there is no Chromium to open the page with')

COLOURS = [(200, 0, 0), (0, 160, 0), (0, 0, 220)]   # of the samples of three epochs
EPOCHS = [1, 2, 5]
RIGHT, LEFT = ('ArrowRight', 39), ('ArrowLeft', 37)
SHOWN = "[...document.querySelectorAll('.sample')].filter(one => one.offsetHeight > 0).map(one => one.dataset.epoch)"


@pytest.fixture(scope='module')
def opened(tmp_path_factory):
    """A browser, which has the page of a run with hostile names open."""
    folder = tmp_path_factory.mktemp('browser')
    samples = [embedded(f'epoch {epoch}', np.full((120, 200, 3), colour, np.uint8), epoch)
               for epoch, colour in zip(EPOCHS, COLOURS)]
    (folder / 'report.html').write_bytes(page(facts(HOSTILE)._replace(samples=tuple(samples))))
    with browser(folder / 'profile') as one:
        one.page = folder / 'report.html'
        yield one


@pytest.fixture(autouse=True)
def wide_and_light(opened):
    look(opened, 1000, 'light')
    opened.open(opened.page)


def look(opened, width, scheme):
    opened.say('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    opened.say('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])


def seen_in_the_middle(opened):
    """The colour in the middle of the sample that is shown, by a screenshot."""
    x, y = opened.value("(() => { const box = [...document.querySelectorAll('.sample img')]"
                        ".filter(one => one.offsetHeight > 0)[0].getBoundingClientRect();"
                        "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
    return decode_image(opened.screenshot())[round(y), round(x)].astype(int)


def test_the_slider_changes_the_picture(opened):
    """From the last epoch to the left, and back: in the document, and on the screen."""
    opened.value("document.querySelector('#epoch').focus()")
    for key, shown in [(None, 2), (LEFT, 1), (LEFT, 0), (LEFT, 0), (RIGHT, 1), (RIGHT, 2)]:
        if key:
            opened.press(*key)
        assert opened.value(SHOWN) == [str(EPOCHS[shown])]
        assert opened.value("document.querySelector('.slider output').value") == str(EPOCHS[shown])
        assert np.abs(seen_in_the_middle(opened) - COLOURS[shown]).max() <= 6


def test_without_scripts_all_samples_are_there(opened):
    opened.say('Emulation.setScriptExecutionDisabled', value=True)
    try:
        opened.open(opened.page)
        assert opened.value(SHOWN) == [str(epoch) for epoch in EPOCHS]
    finally:
        opened.say('Emulation.setScriptExecutionDisabled', value=False)


def test_nothing_is_fetched_and_nothing_complains(opened):
    assert opened.requested[0] == opened.page.as_uri()
    assert {address[:23] for address in opened.requested[1:]} == {'data:image/jpeg;base64,'}
    assert opened.errors == []


def test_a_script_that_is_not_the_pages_own_does_not_run(opened):
    content = opened.page.read_text()
    other = opened.page.with_name('changed.html')
    other.write_text(content.replace('<h1>', '<script>document.title = "other"</script><h1>', 1))
    opened.open(other)
    assert opened.value('document.title') != 'other' and 'Content Security Policy' in ' '.join(opened.errors)


def test_light_and_dark(opened):
    ground = 'getComputedStyle(document.body).backgroundColor'
    light = opened.value(ground), decode_image(opened.screenshot()).mean()
    look(opened, 1000, 'dark')
    dark = opened.value(ground), decode_image(opened.screenshot()).mean()
    assert light[0] != dark[0] and light[1] > 180 and dark[1] < 80


@pytest.mark.parametrize('width', [320, 390, 1000])
def test_nothing_is_wider_than_the_page(opened, width):
    look(opened, width, 'light')
    opened.open(opened.page)
    assert opened.value('document.documentElement.scrollWidth') <= width
    assert opened.value("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)") >= 14
