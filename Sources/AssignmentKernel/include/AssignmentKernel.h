#ifndef VALLEY_ASSIGNMENT_KERNEL_H
#define VALLEY_ASSIGNMENT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VASolved = 0, VANotFinite = 1, VANoMemory = 2 };

/// Gives each row of an n × n matrix a column of its own so that the sum of their elements is the least there is, or
/// the largest.
///
/// Jonker and Volgenant's algorithm (Computing 38, 1987): column reduction, reduction transfer and augmenting row
/// reduction settle most rows, and a shortest augmenting path each of the rest. O(n³) time, O(n) memory beside the
/// matrix.
///
/// - cost: row-major; n is below 2³¹
/// - columns: of length n, receives the column of every row
int va_assign(const double *cost, size_t n, bool maximise, int32_t *columns);

/// The same with the instructions of one set, for tests: 0 plain, 1 AVX2, 2 AVX-512. -1 where the processor lacks it.
int va_assign_with(int set, const double *cost, size_t n, bool maximise, int32_t *columns);

#endif
