#include "AssignmentKernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double Vector __attribute__((vector_size(64)));
typedef int64_t Places __attribute__((vector_size(64)));
typedef int32_t Indices __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))
#define splat(x) ((Vector){x, x, x, x, x, x, x, x})
#define choose(mask, a, b) ((Vector)(((mask) & (Places)(a)) | (~(mask) & (Places)(b))))

// Macros, so that they are compiled for the instructions of where they stand.
#define load(pointer) (((const struct { Vector v; } __attribute__((packed, aligned(8), may_alias)) *)(pointer))->v)
#define store(pointer, x) \
  (((struct { Vector v; } __attribute__((packed, aligned(8), may_alias)) *)(pointer))->v = (x))
#define choose_index(pointer, mask, index) do { \
    Indices chosen_ = __builtin_convertvector(mask, Indices), former_; \
    memcpy(&former_, pointer, sizeof former_); \
    former_ = (chosen_ & (index)) | (~chosen_ & former_); \
    memcpy(pointer, &former_, sizeof former_); \
  } while (0)
#define any(mask) ((mask)[0] | (mask)[1] | (mask)[2] | (mask)[3] | (mask)[4] | (mask)[5] | (mask)[6] | (mask)[7])

/// Augmenting row reduction: how often, and how many rows it may look at each time, as a multiple of n. More gains
/// nothing where elements differ at random, and costs time where many are nearly equal.
enum { Passes = 2, Budget = 4 };

typedef struct {
  double least, second;
  int64_t column, second_column;
} Two;

typedef struct {
  Two (*two_least)(const double *, double, const double *, size_t);
  double (*least_but)(const double *, double, double *, size_t, size_t);
  bool (*lower_columns)(const double *, double, double *, int32_t *, int32_t, size_t);
  double (*start)(const double *, double, const double *, double *, int32_t *, int32_t, size_t);
  double (*shorten)(const double *, double, const double *, double, double *, int32_t *, int32_t, size_t);
  size_t (*column_at)(const double *, double, const int32_t *, size_t);
} Scans;

#define JOIN(a, b) a##_##b
#define JOINED(a, b) JOIN(a, b)
#define NAME(name) JOINED(name, SET)

#define SET plain
#include "Scans.inc"
#undef SET

#if defined(__x86_64__)
#define SET avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,prefer-256-bit"))), apply_to = function)
#include "Scans.inc"
#pragma clang attribute pop
#undef SET

#define SET avx512
#pragma clang attribute push( \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#include "Scans.inc"
#pragma clang attribute pop
#undef SET
#endif

static const Scans *scans_of(int set) {
  switch (set) {
  case 0: return &scans_plain;
#if defined(__x86_64__)
  case 1: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &scans_avx2 : NULL;
  case 2:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
      ? &scans_avx512 : NULL;
#endif
  default: return NULL;
  }
}

/// A problem half solved. A column's price lowers its elements; a row is best placed where the reduced cost, element
/// less price, is least.
typedef struct {
  const Scans *scans;
  const double *cost, *last;
  double sign;
  /// `stride` elements lie between two rows.
  size_t n, padded, stride;
  /// By column, `padded` of them.
  double *price, *distance;
  int32_t *from, *rows;
  /// By row.
  int32_t *columns, *free;
  /// Columns whose distance is settled, with their prices and distances, while a path is sought.
  size_t *settled;
  double *settled_price, *settled_distance;
} Problem;

/// A row may be read up to `padded`: what follows it is another row, or zeros.
INLINE const double *row_of(const Problem *p, size_t i) { return i + 1 == p->n ? p->last : p->cost + i * p->stride; }

/// Prices each column at its least element and gives it to that row if the row has none yet. Returns false where an
/// element is not finite.
static bool reduce_columns(Problem *p) {
  for (size_t j = 0; j < p->padded; j++) {
    p->price[j] = INFINITY;
    p->rows[j] = -1;
  }
  for (size_t i = 0; i < p->n; i++) {
    if (!p->scans->lower_columns(row_of(p, i), p->sign, p->price, p->from, (int32_t)i, p->padded)) return false;
    p->columns[i] = -1;
  }
  for (size_t j = p->n; j < p->padded; j++) p->price[j] = -INFINITY;
  // How often a row was the least: its column's price can be lowered only where it holds one column.
  memset(p->free, 0, p->n * sizeof *p->free);
  for (size_t j = p->n; j-- > 0;) {
    int32_t i = p->from[j];
    if (p->free[i]++ == 0) {
      p->columns[i] = (int32_t)j;
      p->rows[j] = i;
    }
  }
  return true;
}

/// Lowers the price of columns whose row has no other, as far as the row's second choice allows. Returns how many rows
/// are free.
static size_t transfer_reduction(Problem *p) {
  size_t count = 0;
  for (size_t i = 0; i < p->n; i++) {
    int32_t times = p->free[i];
    if (times == 0) {
      p->free[count++] = (int32_t)i;
    } else if (times == 1 && p->n > 1) {
      size_t j = (size_t)p->columns[i];
      double own = p->sign * row_of(p, i)[j] - p->price[j];
      double other = p->scans->least_but(row_of(p, i), p->sign, p->price, p->padded, j);
      if (other > own) p->price[j] -= other - own;
    }
  }
  return count;
}

/// Gives each free row its best column, whose price falls to the second best's; who held it is free in turn. Returns
/// how many rows stay free.
static size_t reduce_rows(Problem *p, size_t count, size_t budget) {
  size_t next = 0, kept = 0;
  while (next < count) {
    int32_t i = p->free[next++];
    if (budget == 0) {
      p->free[kept++] = i;
      continue;
    }
    budget--;
    Two two = p->scans->two_least(row_of(p, (size_t)i), p->sign, p->price, p->padded);
    int64_t j = two.column;
    int32_t former = p->rows[j];
    double lowered = p->price[j] - (two.second - two.least);
    bool is_lower = lowered < p->price[j];
    if (is_lower) {
      p->price[j] = lowered;
    } else if (former >= 0 && two.second_column >= 0) {
      j = two.second_column;
      former = p->rows[j];
    }
    p->columns[i] = (int32_t)j;
    p->rows[j] = i;
    if (former >= 0) {
      p->columns[former] = -1;
      // With a lower price the former holder's turn is at once; otherwise in the next pass, lest two rows take turns
      // forever.
      if (is_lower) p->free[--next] = former;
      else p->free[kept++] = former;
    }
  }
  return kept;
}

/// Gives a free row a column along the shortest alternating path, by Dijkstra's algorithm over the columns.
static void augment(Problem *p, int32_t row) {
  size_t count = 0, j;
  double least =
    p->scans->start(row_of(p, (size_t)row), p->sign, p->price, p->distance, p->from, row, p->padded);
  for (;;) {
    j = p->scans->column_at(p->distance, least, p->rows, p->padded);
    int32_t i = p->rows[j];
    if (i < 0) break;
    const double *elements = row_of(p, (size_t)i);
    double offset = p->sign * elements[j] - p->price[j] - least;
    p->settled[count] = j;
    p->settled_price[count] = p->price[j];
    p->settled_distance[count++] = least;
    // A settled column is out of reach.
    p->price[j] = -INFINITY;
    p->distance[j] = INFINITY;
    least = p->scans->shorten(elements, p->sign, p->price, offset, p->distance, p->from, i, p->padded);
  }
  for (size_t k = 0; k < count; k++)
    p->price[p->settled[k]] = p->settled_price[k] + (p->settled_distance[k] - least);
  for (int32_t i = -1; i != row;) {
    i = p->from[j];
    p->rows[j] = i;
    int32_t former = p->columns[i];
    p->columns[i] = (int32_t)j;
    j = (size_t)former;
  }
}

static int solve(const Scans *scans, const double *cost, size_t n, bool maximise, int32_t *columns) {
  if (n == 0) return VASolved;
  // Of fewer than eight columns, more than the last row would be read beyond the end.
  double small[64] = {0};
  size_t stride = n;
  if (n < 8) {
    stride = 8;
    for (size_t i = 0; i < n; i++) memcpy(small + 8 * i, cost + n * i, n * sizeof *small);
    cost = small;
  }
  size_t padded = (n + 7) / 8 * 8;
  char *memory = malloc(padded * (5 * sizeof(double) + 3 * sizeof(int32_t) + sizeof(size_t)));
  if (memory == NULL) return VANoMemory;
  double *last = (double *)memory;
  Problem p = {
    .scans = scans, .cost = cost, .last = last, .sign = maximise ? -1 : 1, .n = n, .padded = padded, .stride = stride,
    .price = last + padded, .distance = last + 2 * padded, .settled_price = last + 3 * padded,
    .settled_distance = last + 4 * padded, .settled = (size_t *)(last + 5 * padded), .columns = columns,
  };
  p.from = (int32_t *)(p.settled + padded);
  p.rows = p.from + padded;
  p.free = p.rows + padded;
  memset(last, 0, padded * sizeof *last);
  memcpy(last, cost + (n - 1) * stride, n * sizeof *last);
  int result = VANotFinite;
  if (reduce_columns(&p)) {
    size_t count = transfer_reduction(&p);
    for (int pass = 0; pass < Passes && count > 0; pass++) count = reduce_rows(&p, count, Budget * n);
    for (size_t k = 0; k < count; k++) augment(&p, p.free[k]);
    result = VASolved;
  }
  free(memory);
  return result;
}

int va_assign_with(int set, const double *cost, size_t n, bool maximise, int32_t *columns) {
  const Scans *scans = scans_of(set);
  return scans == NULL ? -1 : solve(scans, cost, n, maximise, columns);
}

int va_assign(const double *cost, size_t n, bool maximise, int32_t *columns) {
  for (int set = 2; set > 0; set--)
    if (scans_of(set) != NULL) return solve(scans_of(set), cost, n, maximise, columns);
  return solve(&scans_plain, cost, n, maximise, columns);
}
