"""Table of contents: which pages there are, in groups by who asks."""

import gc

from samplads import ui

ui.configure()
page = ui.navigate(
    {
        "find": ["overview", "vacancies", "match", "needs"],
        "plan": ["allocation", "nightcover", "standby", "financing", "indicators"],
        "data": ["deliveries", "quality", "workbench", "dictionary"],
    }
)
ui.shell()
# What was imported stays: the collector need not look through it after every click. Once only, since what is frozen is never freed.
if not gc.get_freeze_count():
    gc.freeze()
page.run()
