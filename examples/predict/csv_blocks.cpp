#include "csv_blocks.hpp"

#include <cstring>

#include "mtl/core/error.hpp"

namespace {

constexpr size_t read_at_once = size_t{1} << 18, longest_row = size_t{1} << 24;

}  // namespace

CsvBlocks::CsvBlocks(const std::filesystem::path& path) : file_(path), name_(path.string()) {}

bool CsvBlocks::next(std::string& rows) {
  rows.clear();
  size_t seen = 0, end = 0;  // of rest_: looked at; behind the last row that is whole
  bool in_quotes = false;
  std::string text = std::move(rest_);
  rest_.clear();
  while (end == 0) {
    const size_t before = text.size();
    if (before > longest_row)
      throw mtl::Error("{}: a row has more than {} bytes; is a quote not closed?", name_,
                       longest_row);
    text.resize(before + read_at_once);
    text.resize(before + file_.read_some(text.data() + before, read_at_once));
    if (first_ && text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    first_ = false;
    if (text.size() == before || text.empty()) {  // the end of the file
      rows = std::move(text);
      return !rows.empty();
    }
    // Most tables have no quotes: then the last line end is the one.
    if (!in_quotes && std::memchr(text.data() + seen, '"', text.size() - seen) == nullptr) {
      const size_t last = text.rfind('\n');
      if (last != std::string::npos && last >= seen) end = last + 1;
      seen = text.size();
    }
    for (; seen < text.size(); ++seen) {
      if (text[seen] == '"') in_quotes = !in_quotes;
      if (text[seen] == '\n' && !in_quotes) end = seen + 1;
    }
  }
  rest_ = text.substr(end);
  text.resize(end);
  rows = std::move(text);
  return true;
}
