"""Build hook: makes the widget bundle, so that a user of the wheel needs no node."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "graphrun_nb" / "notebook" / "static"
FILES = (BUNDLE / "widget.js", BUNDLE / "widget.css", BUNDLE / "page.js")


class BundleHook(BuildHookInterface[Any]):
    """Run ``npm run build`` in ``js/`` unless the bundle is newer than every source of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Build the bundle; without node an existing bundle is taken as it is."""
        if self._fresh():
            return
        npm = shutil.which("npm")
        if npm is None:
            if all(file.exists() for file in FILES):
                return
            raise RuntimeError("node >= 20 with npm is needed to build graphrun_nb from source (the wheel needs none)")
        if not (ROOT / "js" / "node_modules").exists():
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=ROOT / "js", check=True)
        subprocess.run([npm, "run", "build"], cwd=ROOT / "js", check=True)

    @staticmethod
    def _fresh() -> bool:
        if not all(file.exists() for file in FILES):
            return False
        built = min(file.stat().st_mtime for file in FILES)
        sources = [*(ROOT / "js" / "src").rglob("*"), ROOT / "js" / "build.mjs", ROOT / "js" / "package.json"]
        return all(source.stat().st_mtime <= built for source in sources if source.is_file())
