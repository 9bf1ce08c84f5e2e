"""A real browser without a window, for the tests of pages: Chromium, told what to do by its DevTools protocol."""
import base64
import json
import os
import select
import shutil
import subprocess
import time
from contextlib import contextmanager

__all__ = ['CHROMIUM', 'browser']

CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
PATIENCE = 60   # seconds for an answer


@contextmanager
def browser(folder):
    """A :class:`Browser` that keeps what is its own in `folder`. It ends with the context."""
    (commands, to_browser), (from_browser, events) = os.pipe(), os.pipe()
    words = [CHROMIUM, '--headless', '--disable-gpu', '--no-first-run', f'--user-data-dir={folder}',
             '--remote-debugging-pipe', *(['--no-sandbox'] if os.geteuid() == 0 else [])]
    # The browser reads from 3 and writes to 4.
    process = subprocess.Popen(['bash', '-c', f'exec "$@" 3<&{commands} 4>&{events}', 'bash', *words],
                               pass_fds=(commands, events), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(commands)
    os.close(events)
    opened = Browser(to_browser, from_browser)
    try:
        opened.attach()
        yield opened
        opened.say('Browser.close', session=None)
    finally:
        os.close(to_browser)
        os.close(from_browser)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Browser:
    """One page of a browser.

    Attributes
    ----------
    requested : list of str
        the addresses of all that the page has asked for
    errors : list of str
        what scripts and the content security policy had to complain of
    """

    def __init__(self, to_browser, from_browser):
        self._out, self._in = to_browser, from_browser
        self._number, self._rest, self._session = 0, b'', None
        self.requested, self.errors, self.loaded = [], [], 0

    def attach(self):
        page = self.say('Target.createTarget', url='about:blank')['targetId']
        self._session = self.say('Target.attachToTarget', targetId=page, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.say(f'{domain}.enable')

    def open(self, path):
        """Opens a file, and waits until all of it is there."""
        before = self.loaded
        self.requested.clear()
        self.errors.clear()
        self.say('Page.navigate', url=path.resolve().as_uri())
        while self.loaded == before:
            self._take(self._message())

    def value(self, expression):
        """The value of an expression of JavaScript."""
        found = self.say('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in found, found
        return found['result'].get('value')

    def press(self, key, code):
        """Presses a key, and lets it go."""
        for kind in ('keyDown', 'keyUp'):
            self.say('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self):
        """What the page looks like: the content of a PNG."""
        return base64.b64decode(self.say('Page.captureScreenshot')['data'])

    def say(self, method, session=..., **parameters):
        """Tells the browser something, and returns its answer."""
        self._number += 1
        said = {'id': self._number, 'method': method, 'params': parameters}
        session = self._session if session is ... else session
        os.write(self._out, json.dumps({**said, **({'sessionId': session} if session else {})}).encode() + b'\0')
        while True:
            message = self._message()
            if message.get('id') == self._number:
                assert 'error' not in message, message
                return message['result']
            self._take(message)

    def _take(self, message):
        method, parameters = message.get('method'), message.get('params', {})
        if method == 'Page.loadEventFired':
            self.loaded += 1
        elif method == 'Network.requestWillBeSent':
            self.requested.append(parameters['request']['url'])
        elif method == 'Runtime.exceptionThrown':
            self.errors.append(str(parameters['exceptionDetails']))
        elif method == 'Log.entryAdded':
            self.errors.append(parameters['entry']['text'])

    def _message(self):
        end = time.monotonic() + PATIENCE
        while b'\0' not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, end - time.monotonic()))
            assert ready, 'the browser does not answer'
            part = os.read(self._in, 1 << 20)
            assert part, 'the browser has ended'
            self._rest += part
        message, _, self._rest = self._rest.partition(b'\0')
        return json.loads(message)
