// The rules of the house, checked on the sources themselves.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"

namespace {

namespace fs = std::filesystem;

const fs::path root = MTL_SOURCE_DIR;

// A room may include the rooms before it and itself.
const std::vector<std::string> rooms = {"core",     "io",      "data",    "nn",
                                        "task",     "combine", "sharing", "train",
                                        "evaluate", "deploy",  "report"};

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> files_under(const fs::path& folder, const std::set<std::string>& extensions) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && extensions.contains(entry.path().extension().string()))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// "mtl/core/error.hpp", ... as a file includes them.
std::vector<std::string> includes_of(const fs::path& path) {
  static const std::regex include(R"(#include [<"](mtl/[^">]+)[">])");
  const std::string text = text_of(path);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

/// The header and all that it includes, directly or not.
std::set<std::string> reached_from(const std::string& start) {
  std::set<std::string> reached;
  const std::function<void(const std::string&)> visit = [&](const std::string& header) {
    if (!reached.insert(header).second) return;
    for (const auto& next : includes_of(root / "include" / header)) visit(next);
  };
  visit(start);
  return reached;
}

/// Position of the room in the table; the umbrella mtl/mtl.hpp stands below all rooms.
size_t rank_of(const std::string& include) {
  const auto begin = include.find('/') + 1;
  const auto room = include.substr(begin, include.find('/', begin) - begin);
  return static_cast<size_t>(std::find(rooms.begin(), rooms.end(), room) - rooms.begin());
}

}  // namespace

TEST_CASE("house: no room includes a room that stands below it") {
  for (const char* top : {"include/mtl", "src"})
    for (size_t r = 0; r < rooms.size(); ++r)
      for (const auto& file : files_under(root / top / rooms[r], {".hpp", ".cpp"}))
        for (const auto& include : includes_of(file)) {
          INFO(file.string() << " includes " << include);
          CHECK(rank_of(include) <= r);
          CHECK(fs::exists(root / "include" / include));
        }
}

TEST_CASE("house: every file belongs to a room") {
  for (const char* top : {"include/mtl", "src"})
    for (const auto& entry : fs::directory_iterator(root / top)) {
      const auto name = entry.path().filename().string();
      INFO(entry.path().string());
      CHECK((name == "mtl.hpp" || std::find(rooms.begin(), rooms.end(), name) != rooms.end()));
    }
}

TEST_CASE("house: includes form no circle") {
  std::map<std::string, int> state;  // 1: being visited, 2: done
  const std::function<void(const std::string&)> visit = [&](const std::string& header) {
    state[header] = 1;
    for (const auto& next : includes_of(root / "include" / header)) {
      INFO(header << " includes " << next);
      CHECK(state[next] != 1);
      if (state[next] == 0) visit(next);
    }
    state[header] = 2;
  };
  for (const auto& file : files_under(root / "include", {".hpp"})) {
    const auto header = fs::relative(file, root / "include").string();
    if (state[header] == 0) visit(header);
  }
}

TEST_CASE("house: the umbrella reaches every public header") {
  const auto reached = reached_from("mtl/mtl.hpp");
  for (const auto& file : files_under(root / "include", {".hpp"})) {
    INFO(file.string() << " is in no room's umbrella");
    CHECK(reached.contains(fs::relative(file, root / "include").string()));
  }
}

TEST_CASE("house: a header that names torch includes it, directly or through another header") {
  static const std::regex names_torch(R"(torch::|\bTensor\b)");
  for (const auto& file : files_under(root / "include", {".hpp"})) {
    if (!std::regex_search(text_of(file), names_torch)) continue;
    const auto reached = reached_from(fs::relative(file, root / "include").string());
    INFO(file.string() << " names torch");
    CHECK(std::any_of(reached.begin(), reached.end(), [](const std::string& header) {
      return text_of(root / "include" / header).find("#include <torch/") != std::string::npos;
    }));
  }
}

TEST_CASE("house: no file is a catch-all, none is long") {
  static const std::regex catch_all("(utils?|common|helpers?|misc|manager)");
  for (const char* top : {"include", "src", "examples", "tests", "benchmarks"})
    for (const auto& file : files_under(root / top, {".hpp", ".cpp"})) {
      INFO(file.string());
      CHECK_FALSE(std::regex_match(file.stem().string(), catch_all));
      const std::string text = text_of(file);
      if (std::string(top) == "include" || std::string(top) == "src")
        CHECK(std::count(text.begin(), text.end(), '\n') <= 400);
    }
}

TEST_CASE("house: code in the documentation is code that is compiled") {
  // A C++ block stands under a line <!-- from: FILE --> and is a run of lines of that file.
  static const std::regex block(R"((?:<!-- from: (\S+) -->\n+)?```cpp\n([^`]*)```)");
  const auto unindented = [](const std::string& text) {
    std::istringstream lines(text);
    std::string line, result;
    while (std::getline(lines, line)) {
      const auto first = line.find_first_not_of(' ');
      if (first != std::string::npos) result += line.substr(first) + "\n";
    }
    return result;
  };
  std::vector<fs::path> pages = files_under(root / "docs", {".md"});
  pages.push_back(root / "README.md");
  for (const auto& page : pages) {
    const std::string text = text_of(page);
    for (std::sregex_iterator it(text.begin(), text.end(), block), end; it != end; ++it) {
      INFO(page.string() << ":\n" << (*it)[2].str());
      REQUIRE((*it)[1].matched);
      CHECK(unindented(text_of(root / (*it)[1].str())).find(unindented((*it)[2])) !=
            std::string::npos);
    }
  }
}
