# What type checkers see of the public names, which the module itself imports when they are first asked for.
from vidlink.codec.shelf import load_channel as load_channel
from vidlink.codec.shelf import load_codec as load_codec
from vidlink.errors import UserError as UserError
from vidlink.recognizers.recognizer import Context as Context
from vidlink.recognizers.recognizer import Recognizer as Recognizer
from vidlink.recognizers.recognizer import Wants as Wants
from vidlink.recognizers.registry import load_recognizer as load_recognizer
from vidlink.report.run import Run as Run
from vidlink.settings import Settings as Settings
from vidlink.sweeping.notebook import Table as Table
from vidlink.sweeping.notebook import compare as compare
from vidlink.sweeping.notebook import run as run

__version__: str
