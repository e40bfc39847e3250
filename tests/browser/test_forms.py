"""Questions answered in the view: typed fields, what is wrong beside its field, files, events, many at once."""

from __future__ import annotations

from playwright.sync_api import expect

SETUP = """
%load_ext graphrun_nb
from datetime import date
from enum import Enum
from pydantic import BaseModel, Field, field_validator
from graphrun_nb import graphify, tool
from graphrun_nb.tools import ask_approval, ask_choices, ask_files, ask_form, ask_text, wait_event

class Colour(Enum):
    RED = "red"
    BLUE = "blue"

class Address(BaseModel):
    street: str
    zip: str | None = None

class Order(BaseModel):
    customer: str = Field(title="Customer", description="Who pays.")
    amount: int = Field(title="Amount", ge=1)
    colour: Colour
    day: date = Field(title="Day")
    gift: bool = Field(False, title="Gift")
    tags: list[str] = Field([], title="Tags")
    address: Address

    @field_validator("customer")
    @classmethod
    def known(cls, name):
        if name != "Ada":
            raise ValueError("no such customer")
        return name

@graphify("shop")
def shop():
    ask_form(prompt="Your order?\\nAll of it.", schema=Order, _id="order")
"""


def opened(lab, source, name):
    page = lab(SETUP, source)
    page.run_cell(0)
    page.run_cell(1)
    region = page.cell(1).get_by_role("region", name=f"Run {name}", exact=True)
    expect(region).to_be_visible()
    return page, region


def send(form):
    form.get_by_role("button", name="Send answer", exact=True).click()


def tab_to(field):
    """Press Tab until the field has the focus; a date has several stops."""
    for _ in range(8):
        if field.evaluate("element => element === document.activeElement"):
            return
        field.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {field}")


def test_a_form_is_filled_in_by_keyboard_alone_and_corrected_where_it_is_wrong(lab):
    page, view = opened(lab, "f = %graphrun shop", "shop")
    form = view.get_by_role("form", name="Your order? All of it.")
    keys = page.page.keyboard
    form.get_by_label("Customer", exact=True).focus()
    keys.type("Bob")
    keys.press("Tab")
    keys.type("many")
    keys.press("Tab")
    keys.press("ArrowRight")
    keys.press("Tab")
    keys.type("02282026")
    keys.press("Tab")
    tab_to(form.get_by_label("Gift", exact=True))
    keys.press("Space")
    keys.press("Tab")
    keys.press("Enter")
    keys.type("fragile")
    tab_to(form.get_by_label("Street", exact=True))
    keys.type("High Street 1")
    keys.press("Enter")

    amount = form.get_by_label("Amount", exact=True)
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_be_focused()
    expect(form.get_by_role("alert")).to_have_text("Give a whole number.")
    keys.press("Control+a")
    keys.type("3")
    expect(form.get_by_role("alert")).to_have_count(0)
    keys.press("Enter")

    customer = form.get_by_label("Customer", exact=True)
    expect(customer).to_have_attribute("aria-invalid", "true")
    expect(customer).to_be_focused()
    expect(form.get_by_role("alert")).to_contain_text("no such customer")
    expect(form.get_by_label("Street", exact=True)).to_have_value("High Street 1")
    keys.press("Control+a")
    keys.type("Ada")
    keys.press("Enter")

    expect(view.get_by_role("treeitem", name="order: done")).to_be_attached()
    expect(view.get_by_label("Open questions")).to_contain_text("by a click")
    said = page.execute(
        "o = f.node('order').outputs\n"
        "print(o['customer'], o['amount'], o['colour'].value, o['day'], o['gift'], o['tags'], o['address'].street)"
    )
    assert said == "Ada 3 blue 2026-02-28 True ['fragile'] High Street 1\n"
    view.get_by_role("treeitem", name="order: done").click()
    expect(view.get_by_role("tabpanel")).to_contain_text("by a click at")
    assert page.errors == []


FILES = """
@graphify("inbox")
def inbox():
    ask_files(prompt="Invoices?", _id="files")

f = %graphrun inbox
"""


def test_files_are_picked_and_arrive_as_they_are(lab, tmp_path):
    page, view = opened(lab, FILES, "inbox")
    form = view.get_by_role("form", name="Invoices?", exact=True)
    expect(form).to_contain_text("5 MB in all at most")
    send(form)
    expect(form.get_by_role("alert")).to_be_visible()
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 4000)
    (tmp_path / "b.txt").write_text("hello")
    form.get_by_label("Files", exact=True).set_input_files([tmp_path / "a.bin", tmp_path / "b.txt"])
    expect(form).to_contain_text("a.bin 1 MB")
    send(form)
    expect(view.get_by_role("treeitem", name="files: done")).to_be_attached()
    said = page.execute(
        "print([(each.name, each.mime, each.size) for each in f.node('files').outputs['files']],"
        " f.node('files').outputs['files'][0].read_bytes() == bytes(range(256)) * 4000)"
    )
    assert said == "[('a.bin', 'application/octet-stream', 1024000), ('b.txt', 'text/plain', 5)] True\n"
    assert page.errors == []


MANY = """
@tool(outputs=["x"])
async def review(context):
    return await context.wait("review", prompt="What do you think?")

@graphify("many")
def many():
    ask_text(prompt="Name?", _id="name", deadline=3600, on_deadline="default", default={"text": "nobody"})
    ask_choices(prompt="Which?", options=["a", "b"], _id="which")
    ask_approval(prompt="Sure?", _id="sure")
    wait_event(name="paid", _id="paid")
    review(_id="review")

f = %graphrun many
"""


def test_many_questions_are_paged_and_keep_what_was_typed(lab):
    page, view = opened(lab, MANY, "many")
    asks = view.get_by_label("Open questions")
    expect(asks).to_contain_text("Questions 1 to 3 of 5")
    name = view.get_by_role("form", name="Name?", exact=True)
    expect(asks).to_contain_text("then it counts as answered: ")
    name.get_by_label("Answer", exact=True).fill("Ada")
    asks.get_by_role("button", name="Later questions").click()
    expect(name).to_be_hidden()
    event = view.get_by_role("form", name="paid", exact=True)
    expect(asks).to_contain_text("paid: Waits for the event paid")
    event.get_by_label("Payload", exact=True).fill("{amount: 3}")
    send(event)
    expect(event.get_by_role("alert")).to_contain_text("not JSON")
    event.get_by_label("Payload", exact=True).fill('{"amount": 3}')
    send(event)
    expect(view.get_by_role("treeitem", name="paid: done")).to_be_attached()
    expect(asks).to_contain_text("Question 4 of 4")
    review = view.get_by_role("form", name="What do you think?", exact=True)
    review.get_by_label("Answer", exact=True).fill('["fine"]')
    send(review)
    expect(view.get_by_role("treeitem", name="review: done")).to_be_attached()
    expect(name.get_by_label("Answer", exact=True)).to_have_value("Ada")
    name.get_by_label("Answer", exact=True).press("Enter")
    expect(view.get_by_role("treeitem", name="name: done")).to_be_attached()
    which = view.get_by_role("form", name="Which?", exact=True)
    which.get_by_label("b", exact=True).check()
    send(which)
    view.get_by_role("button", name="Approve", exact=True).click()
    expect(view.get_by_role("status").first).to_contain_text("5 done")
    said = page.execute(
        "print([list(f.node(each).outputs.values()) for each in ('name', 'which', 'sure', 'paid', 'review')])"
    )
    assert said == "[['Ada'], ['b'], [True, 'Approve'], [{'amount': 3}], [['fine']]]\n"
    assert page.errors == []
