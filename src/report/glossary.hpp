#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtl::report {

/// Words of reports that not everybody knows, with what they mean, in the order of the alphabet.
const std::vector<std::pair<std::string_view, std::string_view>>& glossary();

/// Those of them that stand in the text as words, whatever their case.
std::vector<std::pair<std::string, std::string>> words_in(std::string_view text);

}  // namespace mtl::report
