"""Ratings as a mixed model: listeners and sentences are crossed random effects, and so is how each suits a system.

    y = m_k + s_k · (a_p + b_u + f_pu + c_kp + d_ku + e)

is the rating of system k by listener p on sentence u. m_k is the system's MOS. The six effects are independent, of mean
0. Their variances are shared by all systems, but that each system has its own of c and d, drawn towards the shared
ones; the scale s_k says how much the ratings of a system spread, since at the ends of a scale they spread less. Clark
(1973) showed what is lost without the effects of sentences, and Baayen, Davidson and Bates (2008) are the reference for
crossed ones.

The variances are estimated by moments: sums of squares of the residuals y − m_k, taken over each listener, each
sentence, and so on, are equated to their expectations (Searle, Casella and McCulloch 1992, chapter 5), which in a
complete design are those of the analysis of variance. A variance that would be negative is set to 0.

Letters of shapes: N ratings, K systems, E = 6 effects, two of which (c, d) are a system's own, R replicates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

EFFECTS = {
    "listener": ("participant",),
    "sentence": ("utterance",),
    "listener_sentence": ("participant", "utterance"),
    "system_listener": ("system", "participant"),
    "system_sentence": ("system", "utterance"),
}
RESIDUAL = "residual"
COMPONENTS = (*EFFECTS, RESIDUAL)
OWN = ("system_listener", "system_sentence")
# What is a system's own is drawn towards what all share, as if so many more of it were known:
PRIOR_RATINGS = 10.0  # of the usual spread, for its scale
PRIOR_LEVELS = 4.0  # listeners, or sentences, for the variances of its own effects
_BATCH_CELLS = 2_000_000  # ratings of replicates that are held at once
_RANK_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Estimates:
    """What is estimated of R sets of ratings.

    Attributes:
        means: (K, R), the mean of all ratings of each system.
        scales: (K, R), how much the ratings of each system spread beside the usual, about 1.
        variances: (E, R), of the effects in the order of `COMPONENTS`, at least 0, in squared points.
        own: (2, K, R), of the effects `OWN` in each system.
    """

    means: np.ndarray
    scales: np.ndarray
    variances: np.ndarray
    own: np.ndarray

    @classmethod
    def of_deviations(cls, systems: int, deviations: Mapping[str, float]) -> Self:
        """One set, alike for so many systems, of standard deviations in points by the names of `COMPONENTS`."""
        variances = np.array([[deviations[name] ** 2] for name in COMPONENTS])
        own = np.stack([np.full((systems, 1), deviations[name] ** 2) for name in OWN])
        return cls(np.zeros((systems, 1)), np.ones((systems, 1)), variances, own)


@dataclass(frozen=True)
class CrossedDesign:
    """Who rated what: N ratings, by systems, listeners and sentences.

    Attributes:
        systems: The names of the K systems.
        system, participant, utterance: (N,), the numbers of those of each rating, from 0.
    """

    systems: pd.Index
    system: np.ndarray
    participant: np.ndarray
    utterance: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """The design of a table with the columns system, participant, utterance, a row per rating."""
        codes, systems = pd.factorize(table["system"], sort=True)
        others = (pd.factorize(table[name], sort=True)[0] for name in ("participant", "utterance"))
        return cls(pd.Index(systems), codes, *others)

    @property
    def n_participants(self) -> int:
        """How many listeners there are."""
        return len(np.unique(self.participant))

    @property
    def n_utterances(self) -> int:
        """How many sentences there are."""
        return len(np.unique(self.utterance))

    @cached_property
    def counts(self) -> np.ndarray:
        """(K,), how many ratings each system has."""
        return np.bincount(self.system, minlength=len(self.systems)).astype(float)

    @cached_property
    def memberships(self) -> list[sparse.csr_array]:
        """For each effect but the residual, (levels, N): 1 where a rating has that level."""
        size = len(self.system)
        found = []
        for columns in EFFECTS.values():
            levels = np.unique(np.stack([getattr(self, name) for name in columns]), axis=1, return_inverse=True)[1]
            levels = levels.ravel()
            shape = (levels.max() + 1, size)
            found.append(sparse.csr_array((np.ones(size), (levels, np.arange(size))), shape))
        return found

    @cached_property
    def _of_systems(self) -> sparse.csr_array:
        size = len(self.system)
        return sparse.csr_array((np.ones(size), (self.system, np.arange(size))), (len(self.systems), size))

    @cached_property
    def expectations(self) -> np.ndarray:
        """(E, E): what a variance of 1 of one effect (column) adds to each sum of squares (row).

        With Z the 0-1 matrices of two effects and Q the removal of each system's mean, it is the squared norm of
        Zᵀ Q Z' (Searle, Casella and McCulloch 1992, appendix M.5): the trace form, without any matrix of N × N.
        """
        matrices = [*self.memberships, sparse.eye_array(len(self.system), format="csr")]
        of_systems = [matrix @ self._of_systems.T for matrix in matrices]  # (levels, K), how often they meet
        inverse = sparse.diags_array(1 / self.counts)
        squares = [(inverse @ (meet.T @ meet)).toarray() for meet in of_systems]  # (K, K)
        result = np.empty((len(matrices), len(matrices)))
        for row, (matrix, meet) in enumerate(zip(matrices, of_systems, strict=True)):
            for column in range(row, len(matrices)):
                together = matrix @ matrices[column].T
                removed = (together @ of_systems[column] @ inverse).multiply(meet).sum()
                kept = together.multiply(together).sum() - 2 * removed + np.sum(squares[row] * squares[column].T)
                result[row, column] = result[column, row] = kept
        return result

    @cached_property
    def shares(self) -> np.ndarray:
        """(E, K, K): what a variance of 1 of each effect adds to the covariance of two systems' means."""
        weights = [matrix @ self._of_systems.T @ sparse.diags_array(1 / self.counts) for matrix in self.memberships]
        return np.stack([*((weight.T @ weight).toarray() for weight in weights), np.diag(1 / self.counts)])

    @cached_property
    def _of_sums(self) -> np.ndarray:
        """(E, E): what turns sums of squares into variances; effects that no design can tell apart share theirs."""
        size = np.sqrt(np.diag(self.expectations))
        size[size == 0] = 1.0  # of an effect that systems' means take with them
        both = np.outer(size, size)
        return np.linalg.pinv(self.expectations / both, rcond=_RANK_TOLERANCE, hermitian=True) / both

    def estimate(self, ratings: np.ndarray) -> Estimates:
        """What (N, R) ratings tell, each column for itself."""
        counts = self.counts[:, None]
        means = self._of_systems @ ratings / counts
        residuals = ratings - means[self.system]
        of_system = self._of_systems @ residuals**2
        usual = of_system.sum(axis=0) / max(len(ratings) - len(counts), 1)
        degrees = counts - 1
        known = np.where(usual > 0, usual, 1.0)
        scales = np.sqrt((PRIOR_RATINGS + of_system / known) / (PRIOR_RATINGS + degrees))
        residuals /= scales[self.system]
        sums = [np.sum((matrix @ residuals) ** 2, axis=0) for matrix in self.memberships]
        variances = np.maximum(self._of_sums @ np.stack([*sums, np.sum(residuals**2, axis=0)]), 0)
        own = np.stack([self._own_variances(effect, residuals, variances) for effect in OWN])
        return Estimates(means, scales, variances, own)

    def _own_variances(self, effect: str, residuals: np.ndarray, variances: np.ndarray) -> np.ndarray:
        """(K, R), of one of the effects `OWN`: the shared one and a part of what the system's sum of squares adds."""
        index = COMPONENTS.index(effect)
        systems = self._systems_of_levels[effect]
        expected = self.own_expectations[effect]  # (K, E)
        found = systems @ (self.memberships[index] @ residuals) ** 2
        degrees = systems.sum(axis=1) - 1
        known = degrees * (expected[:, index] > 0)
        part = known / (known + PRIOR_LEVELS) / np.where(known > 0, expected[:, index], 1)
        return np.maximum(variances[index] + part[:, None] * (found - expected @ variances), 0)

    @cached_property
    def _systems_of_levels(self) -> dict[str, sparse.csr_array]:
        """For each of the effects `OWN`, (K, levels): 1 where a level is of a system."""
        return {
            effect: (self._of_systems @ self.memberships[COMPONENTS.index(effect)].T).sign().tocsr() for effect in OWN
        }

    @cached_property
    def own_expectations(self) -> dict[str, np.ndarray]:
        """For each of the effects `OWN`, (K, E): as `expectations`, of the sum of squares in each system alone."""
        matrices = [*self.memberships, sparse.eye_array(len(self.system), format="csr")]
        result = {}
        for effect in OWN:
            levels, systems = self.memberships[COMPONENTS.index(effect)], self._systems_of_levels[effect]
            weights = systems.T @ (1 / self.counts) * levels.sum(axis=1)  # (levels,), of a level within its system
            columns = []
            for matrix in matrices:
                together = levels @ matrix.T
                meet = (matrix @ self._of_systems.T).tocsr()  # (levels of the other, K)
                crossed = np.asarray((together @ meet).multiply(systems.T).sum(axis=1)).ravel()
                squares = systems.T @ np.asarray(meet.multiply(meet).sum(axis=0)).ravel()
                of_level = np.asarray(together.multiply(together).sum(axis=1)).ravel()
                columns.append(systems @ (of_level - 2 * weights * crossed + weights**2 * squares))
            result[effect] = np.stack(columns, axis=1)
        return result

    def covariance(self, estimates: Estimates, effects: Sequence[str] = COMPONENTS) -> np.ndarray:
        """(R, K, K): the covariance of the systems' means, as far as it comes from some of the effects."""
        shared = [COMPONENTS.index(effect) for effect in effects if effect not in OWN]
        found = np.tensordot(estimates.variances[shared].T, self.shares[shared], axes=1)
        systems = np.arange(len(self.systems))
        for effect, own in zip(OWN, estimates.own, strict=True):
            if effect in effects:
                found[:, systems, systems] += own.T * np.diag(self.shares[COMPONENTS.index(effect)])
        scales = estimates.scales.T
        return found * scales[:, :, None] * scales[:, None, :]

    def replicates(self, fitted: Estimates, count: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
        """Ratings (N, R) that would be given again by other listeners on other sentences, in batches; means are 0.

        Args:
            fitted: One set of estimates, which are taken for true; effects are drawn from normal distributions.
            count: How many sets of ratings.
            generator: Of the random numbers.
        """
        size = len(self.system)
        deviations = dict(zip(COMPONENTS, np.sqrt(fitted.variances[:, 0]), strict=True))
        for effect, own in zip(OWN, fitted.own, strict=True):
            deviations[effect] = self._systems_of_levels[effect].T @ np.sqrt(own)  # (levels, 1)
        batch = max(1, _BATCH_CELLS // size)
        for begin in range(0, count, batch):
            columns = min(batch, count - begin)
            drawn = deviations[RESIDUAL] * generator.standard_normal((size, columns))
            for effect, matrix in zip(EFFECTS, self.memberships, strict=True):
                drawn += matrix.T @ (deviations[effect] * generator.standard_normal((matrix.shape[0], columns)))
            yield drawn * fitted.scales[self.system]
