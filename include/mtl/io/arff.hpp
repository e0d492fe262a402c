#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mtl::io {

/// What an ARFF file holds: its columns, and its rows as CSV text.
struct Arff {
  std::string relation;
  std::vector<std::string> columns;  ///< names of the attributes
  /// A row a line, separated by commas, on the same line as in the file, so that an error about a
  /// cell names the file's own line; lines without data are blank. An unknown cell (?) is empty,
  /// what a sparse row leaves out is 0 or the first of the attribute's values.
  std::string csv;
};

/// How many bytes longer than the text the rows may become that a sparse file leaves out.
inline constexpr size_t most_left_out = size_t{1} << 30;

/// Reads the text of an ARFF file, dense or sparse rows, names and values plain or quoted, with
/// comments. `file` is what errors call it. Weka's instance weights and relational attributes are
/// not read.
/// Error, with the line: no attribute, no data, a declaration that is none, a type that there is
/// not, a quote that is not closed, a row with more or fewer cells than there are attributes, a
/// value that a nominal attribute does not have, sparse rows that take more than `most_left_out`
/// bytes beyond four times the text's.
/// Format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
Arff parse_arff(std::string_view text, std::string_view file, size_t left_out = most_left_out);

}  // namespace mtl::io
