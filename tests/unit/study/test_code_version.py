import os

import pytest

from vocoder_pareto.study.code_version import code_version, module_file


@pytest.fixture
def root(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text("from package.deep import value\n")
    (package / "deep.py").write_text("value = 1\n")
    (package / "unused.py").write_text("value = 2\n")
    (tmp_path / "program.py").write_text("from package import used\n\n\ndef main():\n    return used\n")
    return tmp_path


def version(root):
    from vocoder_pareto.study import code_version as module

    module._token_hash.cache_clear()
    module._imported_files.cache_clear()
    return code_version([root / "program.py"], root)


def test_comments_blank_lines_and_times_do_not_count(root):
    before = version(root)
    program = root / "program.py"
    program.write_text("# a remark\n\n" + program.read_text().replace("return used", "return used  # why"))
    os.utime(program, (0, 0))
    assert version(root) == before


def test_an_edit_of_a_module_that_an_import_reaches_counts(root):
    before = version(root)
    (root / "package" / "deep.py").write_text("value = 2\n")
    assert version(root) != before


def test_an_edit_of_an_unrelated_module_does_not_count(root):
    before = version(root)
    (root / "package" / "unused.py").write_text("value = 3\n")
    assert version(root) == before


def test_a_changed_depth_of_indentation_counts(root):
    (root / "program.py").write_text("if a:\n    b()\n    c()\n")
    before = version(root)
    (root / "program.py").write_text("if a:\n    b()\nc()\n")
    assert version(root) != before


def test_a_wider_indent_of_the_same_block_does_not_count(root):
    (root / "program.py").write_text("if a:\n    b()\n")
    before = version(root)
    (root / "program.py").write_text("if a:\n  b()\n")
    assert version(root) == before


def test_the_version_does_not_depend_on_where_the_project_lies(root, tmp_path_factory):
    import shutil

    copy = tmp_path_factory.mktemp("copy") / "x"
    shutil.copytree(root, copy)
    assert version(copy) == version(root)


def test_the_file_of_a_class_is_found_by_both_forms_of_import_path(root, tmp_path):
    assert module_file("package.used.Class", root) == root / "package" / "used.py"
    assert module_file(f"{tmp_path}/program.py:Class", root) == tmp_path / "program.py"
    with pytest.raises(FileNotFoundError, match="absent"):
        module_file(f"{tmp_path}/absent.py:Class", root)
