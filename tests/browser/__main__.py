"""python -m browser STAGE [--pictures FOLDER]: the pages that people see, in Chromium, as their readers use them.

STAGE is the binary `trinhky-stage`: an installation with three documents that wait for the seal. Exit 0 if every test
passed; pictures of every page at every size are written to FOLDER for whoever wants to look.
"""

from __future__ import annotations

import argparse
import sys
import unittest
from pathlib import Path

from . import pages, sight, window


def main() -> int:
    parser = argparse.ArgumentParser(prog="browser", description=__doc__.splitlines()[0])
    parser.add_argument("stage", type=Path)
    parser.add_argument("--pictures", type=Path, default=Path("target/browser"))
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    with sight.Stage(options.stage) as stage, sight.Sight(options.pictures) as eyes:
        suite = unittest.TestSuite()
        for case in (pages.Pages, window.ClerksWindow):
            case.stage, case.eyes = stage, eyes
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, failfast=True).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"browser: {result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
