#ifndef VALLEY_MERGE_KERNELS_H
#define VALLEY_MERGE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How elements are stored. The codes are libtorch's ScalarType codes, as in Torch's DType.
enum {
  VMStoredUInt8 = 0,
  VMStoredInt8 = 1,
  VMStoredInt16 = 2,
  VMStoredInt32 = 3,
  VMStoredInt64 = 4,
  VMStoredFloat16 = 5,
  VMStoredFloat32 = 6,
  VMStoredFloat64 = 7,
  VMStoredBool = 11,
  VMStoredBFloat16 = 15,
};

/// Which elements are kept, by magnitude: those between two magnitudes, and some of the elements that have either one,
/// chosen by their position among their equals. A magnitude is given by its key, the element's bits without the sign.
typedef struct {
  uint64_t lowKey, highKey;
  /// The elements at lowKey are numbered; lowFrom ..< lowTo are kept. lowSeen counts them from one call to the next.
  uint64_t lowFrom, lowTo, lowSeen;
  /// Likewise at highKey, when it is not lowKey.
  uint64_t highFrom, highTo, highSeen;
} VMSelection;

/// How many keys lie below `low`, at `low`, at `high` (which is above `low`) and at 0, and the keys strictly between `low`
/// and `high`, as far as there is room.
typedef struct {
  uint64_t low, high;
  uint64_t below, atLow, atHigh, zero;
  /// `found` keys, as long as a working element each; `isFull` once some were left out.
  void *_Nullable inside;
  size_t found, room;
  bool isFull;
} VMBracket;

/// A table of counts by a digit of the key. It has four parts in turn, so that neighbours with equal keys do not wait for
/// one another.
enum { VMDigitBits = 12, VMDigits = 1 << VMDigitBits, VMCounts = 4 * VMDigits };

/// How many vectors `products` takes.
enum { VMProductTerms = 8 };

/// Arithmetic on vectors of one working type, float or double. `y` is written, `x` is read, and they may not overlap. Sums
/// are taken in double, in one order on every processor, so that results do not depend on the processor.
typedef struct {
  /// The working element's size in bytes.
  size_t width;

  /// Stored elements to the working type and back. `store` rounds once, to nearest, ties to even, and keeps integers within
  /// their range; it tells whether all elements are finite in the stored type.
  void (*_Nonnull load)(int stored, const void *_Nonnull source, void *_Nonnull y, size_t count);
  bool (*_Nonnull store)(int stored, const void *_Nonnull x, void *_Nonnull target, size_t count);
  /// y ← source − base, both as stored
  void (*_Nonnull loadDifference)(
    int stored, const void *_Nonnull source, int storedBase, const void *_Nonnull base, void *_Nonnull y, size_t count);
  /// y ← y + source, as stored
  void (*_Nonnull addStored)(int stored, const void *_Nonnull source, void *_Nonnull y, size_t count);

  /// y ← a y
  void (*_Nonnull scale)(void *_Nonnull y, double a, size_t count);
  /// y ← y + a x
  void (*_Nonnull add)(void *_Nonnull y, const void *_Nonnull x, double a, size_t count);
  /// y ← y − x
  void (*_Nonnull subtract)(void *_Nonnull y, const void *_Nonnull x, size_t count);
  /// y[r, c] ← y[r, c] + factors[c] x[r, c]
  void (*_Nonnull addColumns)(
    void *_Nonnull y, const void *_Nonnull x, const double *_Nonnull factors, size_t rows, size_t columns);

  /// Σ x y
  double (*_Nonnull dot)(const void *_Nonnull x, const void *_Nonnull y, size_t count);
  /// products[i · terms + j] ← Σ xᵢ xⱼ, as `dot` gives them, for up to `VMProductTerms` vectors
  void (*_Nonnull products)(
    const void *_Nonnull const *_Nonnull x, int terms, double *_Nonnull products, size_t count);
  /// sums[c] ← sums[c] + Σ_r x[r, c] y[r, c]
  void (*_Nonnull dotColumns)(
    const void *_Nonnull x, const void *_Nonnull y, double *_Nonnull sums, size_t rows, size_t columns);
  /// Σ |x|
  double (*_Nonnull absoluteSum)(const void *_Nonnull x, size_t count);
  /// Σ |x| over all elements, and over those whose bit is 1.
  void (*_Nonnull absoluteSums)(
    const void *_Nonnull x, const uint8_t *_Nonnull bits, double *_Nonnull all, double *_Nonnull noted, size_t count);
  /// Σ x² over the elements whose bit is 1.
  double (*_Nonnull squaresNoted)(const void *_Nonnull x, const uint8_t *_Nonnull bits, size_t count);
  /// How many elements are not 0.
  size_t (*_Nonnull nonzero)(const void *_Nonnull x, size_t count);

  /// Counts the digits at `shift` of the keys that are `prefix` above that digit.
  void (*_Nonnull countDigits)(
    const void *_Nonnull x, uint64_t prefix, int shift, uint64_t *_Nonnull counts, size_t count);
  /// Counts the elements into the bracket, and gathers the keys that lie within it.
  void (*_Nonnull bracket)(const void *_Nonnull x, VMBracket *_Nonnull bracket, size_t count);
  /// Sets the elements that are not selected by the magnitude of `by` (which may be y itself) to 0.
  void (*_Nonnull select)(
    void *_Nonnull y, const void *_Nonnull by, VMSelection *_Nonnull selection, size_t count);

  /// Sets a bit for each element as `note` does: whether its key is above the bracket's `high`. `open` gets the places of
  /// the elements from `low` to `high`, counted from `first`, and has room for all. Adds to the bracket's `below` and
  /// `zero`, and gives how many elements are open.
  size_t (*_Nonnull split)(
    const void *_Nonnull x, VMBracket *_Nonnull bracket, uint8_t *_Nonnull above, uint32_t *_Nonnull open,
    uint32_t first, size_t count);
  /// y[i] ← x[placesᵢ − first] for `count` places
  void (*_Nonnull pick)(
    const void *_Nonnull x, const uint32_t *_Nonnull places, uint32_t first, void *_Nonnull y, size_t count);
  /// Sets the bits at the places whose x is not 0.
  void (*_Nonnull mark)(
    const void *_Nonnull x, const uint32_t *_Nonnull places, uint8_t *_Nonnull bits, size_t count);
  /// Sets a bit for each element, from the lowest of each byte on: whether it is not 0.
  void (*_Nonnull note)(const void *_Nonnull x, uint8_t *_Nonnull bits, size_t count);
  /// Multiplies the elements whose bit is 1 by the factor, and sets the others to 0.
  void (*_Nonnull keepNoted)(void *_Nonnull y, const uint8_t *_Nonnull bits, double factor, size_t count);

  /// Keeps each element with the given probability, and sets it to 0 otherwise. Its random number follows from `key` and
  /// its place in the tensor, `index` for the first.
  void (*_Nonnull drop)(void *_Nonnull y, double probability, uint64_t key, uint64_t index, size_t count);
  /// Sets the bits, from `offset` on, of the elements that are kept. The probability rises from `lowest` to `highest` with
  /// the rank by magnitude, where the first of equals is lower; the random numbers are those of `drop`. Element i lies at
  /// x[i · stride], and its bit as far from the first; `count` < 2³². `scratch` has room for 5 · count working elements
  /// and 256 bytes.
  void (*_Nonnull noteRanked)(
    const void *_Nonnull x, double lowest, double highest, uint64_t key, uint64_t index, size_t count, size_t stride,
    uint8_t *_Nonnull bits, size_t offset, void *_Nonnull scratch);

  /// y ← Σₖ wₖ xₖ over the terms that have the sign of Σₖ votesₖ xₖ (+ where that is 0). Where `divisor` is 0 the result is
  /// divided by the sum of these weights, unless that is 0; above 0 by that sum, but at least by `divisor`; below 0 it
  /// is not divided.
  void (*_Nonnull elect)(
    void *_Nonnull y, const void *_Nonnull const *_Nonnull x, const double *_Nonnull votes,
    const double *_Nonnull weights, int terms, double divisor, size_t count);
  /// y ← the population variance over the terms.
  void (*_Nonnull variance)(void *_Nonnull y, const void *_Nonnull const *_Nonnull x, int terms, size_t count);

  /// Where one |xₖ| exceeds epsilon, y ← factorsₖ xₖ; where several do, their mean; elsewhere 0.
  void (*_Nonnull reinforce)(
    void *_Nonnull y, const void *_Nonnull const *_Nonnull x, const double *_Nonnull factors, int terms,
    double epsilon, size_t count);
  /// Counts for each term the elements at which it exceeds epsilon with others (`shared`) and alone (`unique`).
  void (*_Nonnull countActive)(
    const void *_Nonnull const *_Nonnull x, int terms, double epsilon, uint64_t *_Nonnull shared,
    uint64_t *_Nonnull unique, size_t count);

  /// KL(softmax x ‖ softmax y), each probability raised by 1e-8
  double (*_Nonnull divergence)(const void *_Nonnull x, const void *_Nonnull y, size_t count);
  /// Sets the elements of y to 0 where |x| is below the threshold.
  void (*_Nonnull keepFrom)(void *_Nonnull y, const void *_Nonnull x, double threshold, size_t count);
} VMKernels;

/// How many instruction sets there are kernels for, the plainest first.
enum { VMInstructionSets = 3 };

/// Kernels in float, or in double if `wide`, for instruction set `set`; NULL where this processor lacks it.
const VMKernels *_Nullable vm_kernels(bool wide, int set);

/// A sum over bytes that depends on every byte and its place, to tell whether they are still the same; it is no protection
/// against intent. The sums of parts add up to that of the whole; each part starts at a `position` that is a multiple of 8.
uint64_t vm_checksum(const void *_Nonnull bytes, size_t count, uint64_t position);

#endif
