#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "mtl/report/html.hpp"

namespace mtl::report {

/// A table for a terminal: cells below each other, two spaces between columns.
inline std::string plain_text(const TextTable& table) {
  std::vector<std::vector<std::string>> lines = table.rows;
  lines.insert(lines.begin(), table.header);
  std::vector<size_t> widths;
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], line[i].size());
    }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i)
      row += line[i] + std::string(widths[i] + 2 - line[i].size(), ' ');
    text += row.substr(0, row.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

}  // namespace mtl::report
