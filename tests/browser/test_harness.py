"""The harness itself, tried on a widget that is not the project's."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .lab import KernelError, processes_of, serve
from .shots import Studio, shoot

WIDGET = '''
import anywidget

class Echo(anywidget.AnyWidget):
    _esm = """
    function render({ model, el }) {
      const button = document.createElement("button");
      const answer = document.createElement("output");
      button.textContent = "Ask";
      button.addEventListener("click", () => model.send({ kind: "ask" }));
      model.on("msg:custom", message => { answer.textContent = message.text; });
      el.append(button, answer);
    }
    export default { render };
    """
    n_asked = 0

    def __init__(self):
        super().__init__()
        self.on_msg(self.answer)

    def answer(self, widget, content, buffers):
        self.n_asked += 1
        self.send({"text": f"{content['kind']} {self.n_asked}"})

echo = Echo()
echo
'''

VIEW = "application/vnd.jupyter.widget-view+json"
BLOCKED = "import time\nprint('started', flush=True)\nwhile True:\n    time.sleep(0.01)"


def test_click_reaches_the_kernel_and_its_answer_the_page(anywhere):
    page = anywhere(WIDGET)
    page.run_all()
    page.cell(0).get_by_role("button", name="Ask").click()
    expect(page.cell(0).get_by_role("status")).to_have_text("ask 1")
    page.wait_idle()
    assert page.kernel_status() == "idle"
    assert page.errors == []


def test_text_is_what_a_cell_printed_showed_and_raised(lab):
    page = lab("print('out')\n41 + 1", "1 / 0")
    page.run_cell(0)
    page.run_cell(1)
    assert page.text(0) == "out\n42"
    assert "ZeroDivisionError: division by zero" in page.text(1)
    assert page.add_cell_and_run("print('added')") == "added\n"
    expect(page.cell(2)).to_have_text("added")


def test_run_all_runs_every_cell_in_order(anywhere):
    page = anywhere("x = 1", "x += 1", "print(x)")
    page.run_all()
    assert page.text(2) == "2\n"


def test_widget_answers_after_save_and_reload(anywhere):
    page = anywhere(WIDGET)
    assert "outputs" not in page.saved().cells[0] or page.saved().cells[0].outputs == []
    page.run_all()
    page.cell(0).get_by_role("button", name="Ask").click()
    expect(page.cell(0).get_by_role("status")).to_have_text("ask 1")
    page.save()
    assert [VIEW in output.data for output in page.saved().cells[0].outputs] == [True]
    page.reload()
    expect(page.cell(0).get_by_role("status")).to_have_text("")
    page.cell(0).get_by_role("button", name="Ask").click()
    expect(page.cell(0).get_by_role("status")).to_have_text("ask 2")


def test_theme_is_dark_after_it_was_light(anywhere):
    page = anywhere("print('text')")
    page.run_all()
    background = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')"
    light = page.page.evaluate(background)
    page.set_theme("dark")
    assert page.page.evaluate(background) != light
    page.set_theme("light")
    assert page.page.evaluate(background) == light


def test_second_client_reads_and_sets_what_the_notebook_sees(anywhere):
    page = anywhere("x = 41")
    page.run_all()
    assert page.execute("x += 1\nprint(x)") == "42\n"
    assert page.add_cell_and_run("x") == "42"
    with pytest.raises(KernelError, match="NameError: name 'y'"):
        page.execute("y")


def test_second_client_gives_up_on_a_blocked_kernel(lab):
    page = lab(BLOCKED)
    page.run_cell(0, wait=False)
    expect(page.cell(0)).to_contain_text("started")
    with pytest.raises(TimeoutError):
        page.execute("1", timeout_s=0.1)


def test_interrupt_ends_a_blocked_cell(anywhere):
    page = anywhere(BLOCKED)
    page.run_cell(0, wait=False)
    expect(page.cell(0)).to_contain_text("started")
    assert page.is_running()
    page.interrupt()
    page.wait_idle()
    assert not page.is_running()
    assert "KeyboardInterrupt" in page.text(0)
    assert page.add_cell_and_run("print('alive')") == "alive\n"


def test_output_below_the_fold_is_in_the_page(anywhere):
    page = anywhere(*["print('line\\n' * 30)"] * 10, WIDGET)
    page.run_all()
    page.cell(10).get_by_role("button", name="Ask").click()
    expect(page.cell(10).get_by_role("status")).to_have_text("ask 1")


def test_console_errors_are_kept(lab):
    page = lab("from IPython.display import Javascript\nJavascript(\"console.error('seen')\")")
    page.run_all()
    assert [error for error in page.errors if "seen" in error]


def test_screenshot_of_an_element_is_cut_to_it(lab, tmp_path):
    page = lab(WIDGET)
    page.run_all()
    button = page.cell(0).get_by_role("button", name="Ask")
    page.screenshot(tmp_path / "button.png", button)
    width = int.from_bytes((tmp_path / "button.png").read_bytes()[16:20])
    assert abs(width - button.bounding_box()["width"]) <= 1


def test_each_notebook_has_a_kernel_and_a_directory_of_its_own(lab):
    first = lab("x = 1\nopen('here', 'w').close()")
    first.run_all()
    second = lab("'x' in globals(), __import__('os').path.exists('here')")
    second.run_all()
    assert second.text(0) == "(False, False)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shot_is_cut_to_the_first_widget_at_the_width_asked_for(server, browser, tmp_path, theme):
    def until(page):
        page.cell(1).get_by_role("button", name="Ask").click()
        expect(page.cell(1).get_by_role("status")).to_have_text("ask 1")

    out = tmp_path / "shots" / f"{theme}.png"
    studio = Studio(server, browser)
    shoot(["print('before')", WIDGET], out, theme=theme, width=640, height=400, until=until, studio=studio)
    assert int.from_bytes(out.read_bytes()[16:20]) == 640


def test_shot_refuses_a_widget_that_does_not_fit(server, browser, tmp_path):
    with pytest.raises(ValueError, match="does not fit into a height of 4 px"):
        shoot(
            [WIDGET],
            tmp_path / "shot.png",
            theme="light",
            width=640,
            height=4,
            until=lambda _: None,
            studio=Studio(server, browser),
        )


def test_kernel_does_not_outlive_a_server_that_was_killed(tmp_path):
    root = tmp_path / "jupyter"
    with serve(root) as server:
        server.request("POST", "kernels", {"name": "python3"})
        running = processes_of(root)
        parents = [process for process in running if "jupyterlab" in process.cmdline()]
        assert len(running) > len(parents) == 1
        parents[0].kill()
    assert processes_of(root) == []
