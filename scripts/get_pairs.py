"""Gets pairs, `gluonzoo data facades|maps|edges2shoes`, or with --synthetic draws some, `gluonzoo data pairs`."""
import sys

from gluonzoo.commands.main import door

door('data', *(['pairs'] if '--synthetic' in sys.argv else []))
