"""The explorer shows what is chosen, and something where there is no kernel."""

from ift_course.data.chat_templates import STYLES
from ift_course.plots.chat_formats import explore_formats

SHORT = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
LONG = [*SHORT, {"role": "user", "content": "Name a cow."}, {"role": "assistant", "content": "Moo"}]


def test_every_record_in_every_style_can_be_chosen(shared_tokenizer):
    explorer = explore_formats(shared_tokenizer, {"short": SHORT, "long": LONG})
    conversation, style = explorer.widget.children[0].children
    assert conversation.options == ("short", "long")
    assert style.options == tuple(STYLES)
    before = explorer.widget.children[1].value
    style.value = "llama-3"
    assert explorer.widget.children[1].value != before
    assert "<|eot_id|>" in str(explorer.view("long", "llama-3"))


def test_without_a_kernel_the_first_one_is_shown(shared_tokenizer):
    explorer = explore_formats(shared_tokenizer, {"short": SHORT}, ["zephyr"])
    assert "<|user|>" in str(explorer.static)
