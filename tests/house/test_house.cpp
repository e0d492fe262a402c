// The rules of the house, checked on the sources themselves.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "catch.hpp"

namespace {

namespace fs = std::filesystem;

const fs::path root = MTL_SOURCE_DIR;

// What a room may include beside itself; the rooms in the order of the README.
const std::vector<std::pair<std::string, std::set<std::string>>> rooms = {
    {"core", {}},
    {"io", {"core"}},
    {"data", {"core", "io"}},
    {"nn", {"core", "io"}},
    {"task", {"core", "io", "data", "nn"}},
    {"combine", {"core", "io"}},
    {"sharing", {"core", "io", "data", "nn", "task", "combine"}},
    {"train", {"core", "io", "data", "nn", "task", "combine", "sharing"}},
    {"evaluate", {"core", "io", "data", "nn", "task", "combine", "sharing", "train"}},
    {"deploy", {"core", "io", "data", "nn", "task", "combine", "sharing"}},
    {"report",
     {"core", "io", "data", "nn", "task", "combine", "sharing", "train", "evaluate", "deploy"}}};

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

/// "core" of "mtl/core/error.hpp"; the umbrella mtl/mtl.hpp is in no room.
std::string room_of(const std::string& include) {
  const auto begin = include.find('/') + 1;
  return include.substr(begin, include.find('/', begin) - begin);
}

int64_t lines_of(const fs::path& file) {
  const std::string text = text_of(file);
  return std::count(text.begin(), text.end(), '\n');
}

/// How many columns a line of UTF-8 takes.
size_t columns_of(const std::string& line) {
  return static_cast<size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

TEST_CASE("house: a room includes only the rooms that it may") {
  for (const char* top : {"include/mtl", "src"})
    for (const auto& [room, allowed] : rooms)
      for (const auto& file : files_under(root / top / room, {".hpp", ".cpp"}))
        for (const auto& include : includes_of(file)) {
          INFO(file.string() << " includes " << include);
          CHECK((room_of(include) == room || allowed.contains(room_of(include))));
          CHECK(fs::exists(root / "include" / include));
        }
}

TEST_CASE("house: a room's private headers stay in the room") {
  static const std::regex include(R"re(#include "([^"]+)")re");
  for (const auto& [room, allowed] : rooms)
    for (const auto& file : files_under(root / "src" / room, {".hpp", ".cpp"})) {
      const std::string text = text_of(file);
      for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
        const std::string name = (*it)[1];
        if (name.starts_with("mtl/")) continue;
        INFO(file.string() << " includes " << name);
        const auto found = fs::weakly_canonical(file.parent_path() / name);
        CHECK(fs::exists(found));
        CHECK(found.string().starts_with((root / "src" / room).string()));
      }
    }
}

TEST_CASE("house: every file belongs to a room") {
  for (const char* top : {"include/mtl", "src"})
    for (const auto& entry : fs::directory_iterator(root / top)) {
      const auto name = entry.path().filename().string();
      INFO(entry.path().string());
      CHECK((name == "mtl.hpp" || std::any_of(rooms.begin(), rooms.end(), [&](const auto& room) {
               return room.first == name;
             })));
    }
}

TEST_CASE("house: a source has a header of its name") {
  for (const auto& file : files_under(root / "src", {".cpp"})) {
    const auto header = fs::relative(file, root / "src").replace_extension(".hpp");
    INFO(file.string() << " belongs to no header: neither include/mtl/" << header.string()
                       << " nor one beside it");
    CHECK((fs::exists(root / "include/mtl" / header) || fs::exists(root / "src" / header)));
  }
}

TEST_CASE("house: more than half of the library stands in its headers") {
  int64_t public_lines = 0, compiled_lines = 0;
  for (const auto& file : files_under(root / "include", {".hpp"})) public_lines += lines_of(file);
  for (const auto& file : files_under(root / "src", {".hpp", ".cpp"}))
    compiled_lines += lines_of(file);
  INFO(public_lines << " lines in include/, " << compiled_lines << " in src/");
  CHECK(public_lines > compiled_lines);
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
  auto reached = reached_from("mtl/mtl.hpp");
  // What modules are made of for bundles: nobody but its one list reads it, so nobody else waits.
  reached.merge(reached_from("mtl/deploy/kinds/kinds.hpp"));
  for (const auto& file : files_under(root / "include", {".hpp"})) {
    INFO(file.string() << " is in no room's umbrella");
    CHECK(reached.contains(fs::relative(file, root / "include").string()));
  }
}

TEST_CASE("house: a header that names a library includes it, directly or through another header") {
  // Torch is precompiled where the headers are compiled, so that the compiler cannot say.
  const std::vector<std::pair<std::regex, std::regex>> libraries = {
      {std::regex(R"(torch::|\bTensor\b)"), std::regex("#include <(torch|ATen|c10)/")},
      {std::regex("torch::nn::[A-Z]"), std::regex("#include <torch/nn")},
      {std::regex("torch::optim::"), std::regex("#include <torch/optim")},
      {std::regex("torch::autograd::"), std::regex("#include <torch/(csrc/)?autograd")},
      {std::regex("Eigen::"), std::regex("#include <(unsupported/)?Eigen/")}};
  for (const auto& file : files_under(root / "include", {".hpp"}))
    for (const auto& [name, include] : libraries) {
      static const std::regex comment("//[^\\n]*");
      const std::string text = std::regex_replace(text_of(file), comment, "");
      std::smatch named;
      if (!std::regex_search(text, named, name)) continue;
      const auto reached = reached_from(fs::relative(file, root / "include").string());
      INFO(file.string() << " names " << named.str());
      CHECK(std::any_of(reached.begin(), reached.end(), [&](const std::string& header) {
        return std::regex_search(text_of(root / "include" / header), include);
      }));
    }
}

TEST_CASE("house: headers format by mtl::formatted, which every version of fmt serves") {
  for (const auto& file : files_under(root / "include", {".hpp"})) {
    INFO(file.string());
    CHECK(text_of(file).find("#include <fmt/") == std::string::npos);
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
  // A block of C++ or Python stands under a line <!-- from: FILE --> and is a run of its lines.
  static const std::regex block(R"((?:<!-- from: (\S+) -->\n+)?```(?:cpp|python)\n([^`]*)```)");
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

TEST_CASE("house: every page of the documentation is in its index") {
  const std::string index = text_of(root / "docs/README.md");
  for (const auto& page : files_under(root / "docs", {".md"})) {
    if (page.filename() == "README.md") continue;
    INFO(page.string());
    CHECK(index.find("](" + page.filename().string() + ")") != std::string::npos);
  }
}

TEST_CASE("house: the text of an error ends without a full stop") {
  static const std::regex full_stop(R"re(\b(Error|NoGnuplot)\(\s*("([^"\\]|\\.)*"\s*)*)re"
                                    R"re("([^"\\]|\\.)*\."\s*[,)])re");
  for (const char* top : {"include", "src"})
    for (const auto& file : files_under(root / top, {".hpp", ".cpp"})) {
      const std::string text = text_of(file);
      for (std::sregex_iterator it(text.begin(), text.end(), full_stop), end; it != end; ++it) {
        INFO(file.string() << ": " << it->str());
        CHECK(it->str().empty());
      }
    }
}

TEST_CASE("house: lines end at 100 columns") {
  for (const char* top : {"include", "src", "tests", "examples", "docs/snippets"})
    for (const auto& file : files_under(root / top, {".hpp", ".cpp"})) {
      std::istringstream lines(text_of(file));
      size_t number = 0;
      for (std::string line; std::getline(lines, line);) {
        ++number;
        INFO(file.string() << ":" << number);
        CHECK(columns_of(line) <= 100);
      }
    }
}

TEST_CASE("house: what the library exports is declared in a header") {
  // Names with external linkage that only a source knows are in every user's program by accident.
  std::set<std::string> words;
  for (const char* top : {"include", "src"})
    for (const auto& file : files_under(root / top, {".hpp"})) {
      std::string word;
      for (const char c : text_of(file)) {
        if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
          word += c;
          continue;
        }
        words.insert(word);
        word.clear();
      }
    }
  const std::unique_ptr<FILE, int (*)(FILE*)> nm(
      ::popen("nm --demangle --defined-only " MTL_LIBRARY " 2>/dev/null", "r"), ::pclose);
  REQUIRE(nm);
  // "0000000000000000 T mtl::nn_detail::lstm_layer(at::Tensor const&, ...)"; of the members of a
  // class its own name is looked for.
  static const std::regex symbol(R"(^[0-9a-f]+ [TDBR] mtl::(?:[a-z]\w*::)*(\w+)\b.*)");
  int64_t seen = 0;
  std::array<char, 4096> line;
  while (std::fgets(line.data(), line.size(), nm.get())) {
    std::string text(line.data());
    text = text.substr(0, text.find_first_of("(\n", text.find("mtl::") + 5));
    std::smatch match;
    if (!std::regex_match(text, match, symbol)) continue;
    ++seen;
    INFO(text << " is in no header");
    CHECK(words.contains(match[1]));
  }
  CHECK(seen > 100);
}

TEST_CASE(
    "house: each combiner, callback, schedule, encoder and head has a test file of its name") {
  // What several of them share is tested with them; LinearHead is torch's own.
  const std::set<std::string> shared = {"inverted_residual", "linear_head", "recurrent_encoder",
                                        "schedule"};
  for (const std::string folder : {"combine/losses", "combine/gradients", "combine/bilevel",
                                   "train/callbacks", "train/schedules", "nn/encoders", "nn/heads"})
    for (const auto& file : files_under(root / "include/mtl" / folder, {".hpp"})) {
      const std::string room = folder.substr(0, folder.find('/')), name = file.stem().string();
      const bool combiner = text_of(file).find("std::string_view name") != std::string::npos;
      if (shared.contains(name) || (room == "combine" && !combiner)) continue;
      INFO(file.string() << " has no tests/" << room << "/test_" << name << ".cpp");
      CHECK(fs::exists(root / "tests" / room / ("test_" + name + ".cpp")));
    }
}
