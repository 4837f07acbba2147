"""Tables of what rules recognise, and the figure of them."""

import numpy as np

from biosnn.measure.recognition import cells_matter, each_its_own
from biosnn.report.recognition import recognition_figure

OWN = np.eye(3, dtype=bool)


def test_each_answer_is_accepted_by_its_own_rule_only():
    assert each_its_own(OWN)
    missed, wrong = OWN.copy(), OWN.copy()
    missed[1, 1], wrong[0, 2] = False, True
    assert not each_its_own(missed)
    assert not each_its_own(wrong)


def test_a_pattern_is_its_cells_if_few_others_show_it():
    one = OWN.copy()
    one[0, 1] = True  # one of six others
    assert cells_matter(one, 0.2)
    assert not cells_matter(one, 1 / 6)
    everybody = OWN.copy()
    everybody[0] = True  # a third on average, but all of one pattern
    assert not cells_matter(everybody, 0.5)
    nobody = one.copy()
    nobody[2, 2] = False
    assert not cells_matter(nobody, 0.5)


def test_the_figure_has_a_panel_for_the_rules_and_one_for_the_control():
    names = ["tonic", "initial_burst", "irregular"]
    alone = recognition_figure(names, OWN)
    assert [axes.get_title() for axes in alone.figure.axes] == ["which rules accept which answer"]
    assert "control" not in alone.caption
    both = recognition_figure(names, OWN, OWN, answer="response", drive="stimulus")
    assert len(both.figure.axes) == 2
    assert "a row is a stimulus with its rule" in both.caption
    np.testing.assert_array_equal(both.figure.axes[0].images[0].get_array(), OWN)
    assert [label.get_text() for label in both.figure.axes[0].get_yticklabels()][1] == "initial burst"
