"""Datasets: samples of a function, or a table of measurements, checked before a model sees them.

A dataset is a dict of tensors, as in pykan: ``train_input`` and ``test_input`` [n, n_in]; ``train_label`` and
``test_label`` [n, n_out], or class indices [n] of type int64. Names, where they are known, stand beside them as lists
of str in ``input_names`` and ``output_names``.
"""

from kanlab.data.checks import check_dataset as check_dataset
from kanlab.data.function import create_dataset as create_dataset
from kanlab.data.table import dataset_from as dataset_from
