"""An HTTP server on the loopback interface that serves files as a good server does, or as a bad one."""
import contextlib
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace


@contextlib.contextmanager
def serve(files=None):
    """A running server: `files` (path -> bytes) may be changed, and so may what goes wrong.

    url          without a slash at its end
    requests     the (path, headers) of each request, in order
    break_after  numbers of bytes of a body after which the connection breaks off; one a response, then none
    statuses     answers to give instead of the file; one a response, then the file
    ranges       whether a Range is honoured
    shift        how many bytes further than asked for a part begins
    validators   headers of each response with a body: the ETag of the content if None
    silent       an event that each response waits for, if not None
    """
    server = SimpleNamespace(files=dict(files or {}), requests=[], break_after=[], statuses=[], ranges=True, shift=0,
                             validators=None, silent=None)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def log_message(self, *args):
            pass

        def answer(self, status, headers=()):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self):
            server.requests.append((self.path, dict(self.headers)))
            if server.silent is not None:
                server.silent.wait(10)
            status = server.statuses.pop(0) if server.statuses else 200
            content = server.files.get(self.path)
            if status != 200 or content is None:
                return self.answer(404 if content is None else status, [('Content-Length', '0')])
            headers = server.validators
            if headers is None:
                headers = [('ETag', f'"{hashlib.sha1(content).hexdigest()}"')]
            asked = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
            condition = self.headers.get('If-Range')
            first = 0
            if server.ranges and asked and (condition is None or condition in dict(headers).values()):
                first = int(asked[1])
                if first >= len(content):
                    return self.answer(416, [('Content-Range', f'bytes */{len(content)}'), ('Content-Length', '0')])
                first += server.shift
                status = 206
                headers = [*headers, ('Content-Range', f'bytes {first}-{len(content) - 1}/{len(content)}')]
            body = content[first:]
            self.answer(status, [*headers, ('Content-Length', str(len(body)))])
            if server.break_after:
                body = body[:server.break_after.pop(0)]
                self.close_connection = True
            try:
                self.wfile.write(body)
            except ConnectionError:   # the client has seen enough
                self.close_connection = True

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as http:
        http.daemon_threads = True
        server.url = f'http://127.0.0.1:{http.server_address[1]}'
        thread = threading.Thread(target=http.serve_forever, kwargs={'poll_interval': .01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
