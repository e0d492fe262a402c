#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mtl/report/page.hpp"

// Sections that a run's and a comparison's page share. None is added for what is empty.

namespace mtl::report {

using Settings = std::vector<std::pair<std::string, std::string>>;

/// "What was run": the data in words, then name and value.
void add_settings(Page& page, const std::string& data, const Settings& settings);

/// "Results": caption and table.
void add_tables(Page& page, const std::vector<std::pair<std::string, TextTable>>& tables);

/// "More pictures": file name and picture.
void add_figures(Page& page, const std::vector<std::pair<std::string, Figure>>& figures);

}  // namespace mtl::report
