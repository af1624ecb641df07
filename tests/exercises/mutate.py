"""Small wrong changes to a function: swapped operators, numbers off by one, dropped terms."""

import ast
import copy
from collections.abc import Iterator

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def mutants(code: str) -> Iterator[tuple[str, str]]:
    """Yield (description, mutated code) for every small change of the functions in `code`.

    Docstrings, annotations and the texts of errors are left alone.
    """
    tree = ast.parse(code)
    seen: dict[str, int] = {}
    for path, node in _nodes(tree, ()):
        for new in _changes(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, new)
            text = f"{ast.unparse(node)}  →  {ast.unparse(new) or 'nothing'}"
            seen[text] = seen.get(text, 0) + 1
            name = text if seen[text] == 1 else f"{text}  ({seen[text]})"
            yield name, ast.unparse(ast.fix_missing_locations(changed))


def _nodes(node: ast.AST, path: tuple) -> Iterator[tuple[tuple, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise):
            continue
        for i, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not _docstring(node, field, i, child):
                step = (field, i if isinstance(value, list) else None)
                yield (*path, step), child
                yield from _nodes(child, (*path, step))


def _docstring(parent: ast.AST, field: str, i: int, child: ast.AST) -> bool:
    return field == "body" and isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _put(tree: ast.AST, path: tuple, new: ast.AST) -> None:
    for field, i in path[:-1]:
        tree = getattr(tree, field) if i is None else getattr(tree, field)[i]
    field, i = path[-1]
    if i is None:
        setattr(tree, field, new)
    else:
        getattr(tree, field)[i] = new


def _with(node: ast.AST, **fields) -> ast.AST:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                yield _with(node, ops=[*ops[:i], SWAPS[type(op)](), *ops[i + 1 :]])
        case ast.BinOp(left=left, op=op, right=right):
            yield _with(node, op=SWAPS[type(op)]())
            yield left
            yield right
        case ast.AugAssign(op=op):
            yield _with(node, op=SWAPS[type(op)]())
            yield ast.Pass()
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=SWAPS[type(op)]())
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(value=float() as value):
            yield ast.Constant(value * 2 or 1.0)
        case ast.Constant(value=str() as value):
            yield ast.Constant(value[:-1] if value else "?")
        case ast.If() | ast.IfExp():
            yield _with(node, test=ast.Constant(True))
            yield _with(node, test=ast.Constant(False))
        case ast.Slice(lower=lower, upper=upper):
            if lower:
                yield _with(node, lower=None)
            if upper:
                yield _with(node, upper=None)
        case ast.comprehension(ifs=ifs) if ifs:
            yield _with(node, ifs=[])
        case ast.Call(func=func, args=args, keywords=keywords):
            for i in range(len(keywords)):
                yield _with(node, keywords=[*keywords[:i], *keywords[i + 1 :]])
            if isinstance(func, ast.Attribute):
                yield func.value
            elif args and not isinstance(args[0], ast.GeneratorExp | ast.Starred):
                yield args[0]
        case ast.Return(value=value) if value:
            yield ast.Return(None)
        case ast.Expr() | ast.Break() | ast.Continue() | ast.Raise():
            yield ast.Pass()
