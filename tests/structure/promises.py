"""Every mistake that a static_assert in include/nen names is made by a file in tests/compile_fail.

promises.py SOURCE_DIR | --self-test

A static_assert without a sentence, or outside of every class and function, is about nen itself: no
user can break it.
"""

import pathlib
import re
import sys
import tempfile

# What a mistake may be told instead by both compilers: reply's constructor is private, and a path
# through a handler ends without a reply (-Werror=return-type comes with nen::nen).
OF_COMPILERS = {"declared private here", "non-void function"}
ASSERT = re.compile(r"\bstatic_assert\s*\(")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
TOKEN = re.compile(LITERAL.pattern + r"|'(?:[^'\\]|\\.)'|//[^\n]*")
EXPECT = re.compile(r"// expect: *(.*)")


def words(text):
    """What counts of a sentence, as in compile_fail/expect.sh."""
    return " ".join(re.sub(r"[\\\"']", "", text).split())


def end_of_call(text, begin):
    """Where the parenthesis that opens at begin is closed."""
    depth, at = 0, begin
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is not None:
            at = token.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    raise ValueError(f"a static_assert does not end: {text[begin:begin + 80]!r}")


def without_comments(text):
    return TOKEN.sub(lambda token: "" if token[0].startswith("//") else token[0], text)


def sentences_in(text):
    """(line, sentence) of each static_assert that has one: the literals at the end of the call."""
    text = without_comments(text)
    for match in ASSERT.finditer(text):
        if text[match.start() - 1] == "\n":
            continue
        call = text[match.end() - 1:end_of_call(text, match.end() - 1)]
        parts = re.search(r",\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)\)$", call)
        if parts is not None:
            sentence = "".join(LITERAL.findall(parts[1]))
            yield text.count("\n", 0, match.start()) + 1, words(sentence)


def check(source):
    """(number of sentences, problems)."""
    asserted = {}  # sentence -> where
    root = source / "include" / "nen"
    for header in sorted([*root.rglob("*.hpp"), *root.rglob("*.ipp")]):
        for line, sentence in sentences_in(header.read_text(encoding="utf-8")):
            asserted.setdefault(sentence, f"{header.relative_to(source)}:{line}")
    problems, made = [], set()
    for file in sorted((source / "tests" / "compile_fail").glob("*.cpp")):
        if file.stem.endswith("_ok"):
            continue
        match = EXPECT.match(file.read_text(encoding="utf-8"))
        expected = words(match[1]) if match else ""
        if expected in OF_COMPILERS:
            continue
        hits = [sentence for sentence in asserted if expected and expected in sentence]
        if len(hits) != 1:
            problems.append(f"{file.relative_to(source)}: its sentence is in {len(hits)} "
                            "static_asserts of include/nen, not in one")
        made.update(hits)
    problems += [f"{where}: no file in tests/compile_fail expects: {sentence}"
                 for sentence, where in asserted.items() if sentence not in made]
    return len(asserted), problems


HEADER = '''
static_assert(sizeof(int) == 4, "nen's own");
struct a {
  static_assert(sizeof(int) == 4);  //  static_assert(false, "a comment")
  static_assert(f("//", ')') && g('"'),
                "the first \\"part\\" "
                "and the second");
  static_assert(true, "another one");
};
'''


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder)
        header = source / "include" / "nen" / "a.hpp"
        mistakes = source / "tests" / "compile_fail"
        header.parent.mkdir(parents=True)
        mistakes.mkdir(parents=True)
        header.write_text(HEADER)
        (mistakes / "one.cpp").write_text('// expect: first "part" and the second\n')
        (mistakes / "two.cpp").write_text("// expect: another one\n")
        (mistakes / "all_ok.cpp").write_text("// right\n")
        assert check(source) == (2, []), check(source)

        def problem_with(name, text, expected):
            kept = (mistakes / name).read_text() if (mistakes / name).exists() else None
            (mistakes / name).write_text(text)
            _, problems = check(source)
            assert len(problems) >= 1 and expected in problems[0], (name, problems)
            (mistakes / name).unlink()
            if kept is not None:
                (mistakes / name).write_text(kept)

        problem_with("three.cpp", "// expect: a sentence of nobody\n", "in 0 static_asserts")
        problem_with("three.cpp", "no sentence\n", "in 0 static_asserts")
        problem_with("three.cpp", "// expect: e\n", "in 2 static_asserts")
        (mistakes / "two.cpp").unlink()
        count, problems = check(source)
        assert count == 2 and len(problems) == 1 and "a.hpp:8" in problems[0], problems
        assert "expects: another one" in problems[0], problems
    print("5 kinds of mistakes are found")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    count, problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems + [f"{count} sentences, {len(problems)} problems"]))
    return 0 if count > 0 and not problems else 1


sys.exit(main())
