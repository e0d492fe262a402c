#include "sections.hpp"

namespace mtl::report {

void add_settings(Page& page, const std::string& data, const Settings& settings) {
  if (data.empty() && settings.empty()) return;
  Section& section = page.section("What was run");
  if (!data.empty()) section.text(data);
  TextTable table{{"setting", "value"}, {}};
  for (const auto& [name, value] : settings) table.rows.push_back({name, value});
  if (!table.rows.empty()) section.table(std::move(table));
}

void add_tables(Page& page, const std::vector<std::pair<std::string, TextTable>>& tables) {
  if (tables.empty()) return;
  Section& section = page.section("Results");
  for (const auto& [caption, table] : tables) section.table(table, caption);
}

void add_figures(Page& page, const std::vector<std::pair<std::string, Figure>>& figures) {
  if (figures.empty()) return;
  Section& section = page.section("More pictures");
  for (const auto& [file, figure] : figures) section.picture(file, figure);
}

}  // namespace mtl::report
