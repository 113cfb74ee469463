"""The type of NumPy arrays, in the form that jaxtyping can add a shape to.

Since NumPy 2.5 (Python 3.12 and later) `numpy.typing.NDArray` is a lazy type alias and no class, and jaxtyping refuses
it: `Float64[NDArray[np.float64], "n"]` would stop the import.
"""

from typing import Any, TypeAlias, TypeVar

import numpy as np

Scalar = TypeVar("Scalar", bound=np.generic)

NDArray: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[Scalar]]
"""As `numpy.typing.NDArray`: `NDArray[np.float64]` is an array of that type and of any shape."""
