#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "mtl/evaluate/comparison.hpp"
#include "mtl/report/page.hpp"

namespace mtl::report {

/// What a comparison's report says beside the comparison itself.
struct ComparisonReport {
  std::string title = "Together or one by one?";
  std::vector<std::string> verdict = {};  ///< sentences before those of the comparison
  std::string data = {};                  ///< which data it was, in words
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name, value
  std::vector<std::pair<std::string, TextTable>> tables = {};      ///< caption, table
  std::vector<std::pair<std::string, Figure>> figures =
      {};  ///< file name without extension, picture
  std::vector<std::string> warnings = {};
  DrawOptions draw = {};
};

/// Adds what a comparison found: its sentences to the verdict, and a section with the table (by
/// task, metric and method what each reached, the difference with its interval, the verdict in
/// words), the gains by task ("comparison") and over all tasks ("comparison_mean") with their
/// intervals, and what the intervals are about.
void add_comparison(Page& page, const evaluate::Comparison& comparison);

/// A page of its own for a comparison.
Page comparison_page(const evaluate::Comparison& comparison, const ComparisonReport& report = {});

/// Writes that page as report.html and report.json with its pictures (write_page).
ReportFiles comparison_report(const std::filesystem::path& directory,
                              const evaluate::Comparison& comparison,
                              const ComparisonReport& report = {});

}  // namespace mtl::report
