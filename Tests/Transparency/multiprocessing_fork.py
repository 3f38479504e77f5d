"""CPython's test_multiprocessing_fork, which some distributions leave out of the test suite."""

from test._test_multiprocessing import install_tests_in_module_dict

install_tests_in_module_dict(globals(), "fork")
