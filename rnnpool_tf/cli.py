"""The `rnnpool` command: one verb per room, each defined beside the code it runs."""

from __future__ import annotations

import argparse
import importlib
import sys

from rnnpool_tf import __version__

# Verb → the module that defines `add_arguments(parser)`, `run(arguments) -> int` and a docstring
# whose first line is the help text. The modules import TensorFlow only when they run.
VERBS = {
    "convert": "rnnpool_tf.conversion.command",
    "compare": "rnnpool_tf.analysis.layer_errors.command",
    "summary": "rnnpool_tf.analysis.summary.command",
    "arena": "rnnpool_tf.analysis.arena.command",
    "reproduce": "rnnpool_tf.analysis.reproduce.command",
    "detect": "rnnpool_tf.vision.command",
    "export": "rnnpool_tf.deploy.command",
    "bench": "rnnpool_tf.bench.command",
}


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="rnnpool",
        description="RNNPool for Keras and TensorFlow Lite Micro.",
        epilog="Exit status: 0 done, 1 the input could not be processed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"rnnpool_tf {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, module_name in VERBS.items():
        module = importlib.import_module(module_name)
        summary = module.__doc__.splitlines()[0]
        verb_parser = verbs.add_parser(verb, help=summary, description=module.__doc__)
        verb_parser.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(verb_parser)
        verb_parser.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns its exit status.

    Errors that a user can mend (ValueError, OSError, and RuntimeError from a missing part of the
    installation) are printed as one sentence, without a traceback.
    """
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"rnnpool {arguments.verb}: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    """The error's text; of the operating system's errors without their number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}. Received: '{error.filename}'"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
