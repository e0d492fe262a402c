#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "mtl/evaluate/judged_table.hpp"
#include "mtl/io/json.hpp"
#include "mtl/report/run_report.hpp"

namespace mtl::report {

/// What is said of networks that learnt from a table, beside how good they are.
struct TableReport {
  std::string name = "table";                                      ///< the file's
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< name, value
  std::vector<std::string> warnings = {};
  /// Learning together beside one by one (evaluate::compare_table).
  const evaluate::Comparison* comparison = nullptr;
};

/// How good they are, for a terminal: each measure beside what one would reach without networks,
/// the average relative RMSE of several regressions, what was chosen, the columns that were left
/// out, the comparison's sentences.
std::string table_text(const LearntTable& learnt, const evaluate::JudgedTable& judged,
                       const TableReport& report = {});

/// The same as report.html and report.json with pictures: run_report of the first run of the
/// recipe that was chosen, with the answers that were judged, in the table's units and classes.
ReportFiles table_report(const std::filesystem::path& directory, const TableData& data,
                         const LearntTable& learnt, const evaluate::JudgedTable& judged,
                         const TableReport& report = {});

/// What a program keeps in its config.json, {name: value}, as the settings of a report.
std::vector<std::pair<std::string, std::string>> settings_of(const io::Json& json);

}  // namespace mtl::report
