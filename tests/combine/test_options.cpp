// The options of every combiner: read, checked and documented by one list.
#include <fstream>
#include <sstream>

#include "error_text.hpp"
#include "gradient_methods.hpp"
#include "some_losses.hpp"

using namespace mtl;

namespace {

/// docs/combiners.md in one line, so that a line's end parts no words.
std::string documentation() {
  std::ifstream file(MTL_SOURCE_DIR "/docs/combiners.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string line = text.str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

/// What stands under the combiner's heading.
std::string section(const std::string& docs, const std::string& name) {
  const size_t begin = docs.find("### " + name + " — `");
  if (begin == std::string::npos) return "";
  return docs.substr(begin,
                     std::min(docs.find(" ## ", begin), docs.find(" ### ", begin + 1)) - begin);
}

bool is_number(const std::string& text, double& value) {
  std::istringstream stream(text);
  return static_cast<bool>(stream >> value);
}

/// Whether the text says "`c` = 0.4" or "`c` (a word on it) = 0.4", in whatever form a number has.
bool says(const std::string& text, const OptionDescription& option) {
  const std::string start = "`" + option.name + "`";
  for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    std::string rest = text.substr(at + start.size());
    if (rest.compare(0, 2, " (") == 0) rest.erase(0, rest.find(')') + 1);
    if (rest.compare(0, 3, " = ") != 0) continue;
    rest.erase(0, rest[3] == '`' ? 4 : 3);
    double documented = 0, standard = 0;
    if (rest.compare(0, option.standard.size(), option.standard) == 0) return true;
    if (is_number(option.standard, standard) && is_number(rest, documented) &&
        standard == documented)
      return true;
  }
  return option.standard == "required" && contains(text, start) && contains(text, "required");
}

std::string prefix(const std::string& name) {
  return name + (name == "fixed" ? ":weights=1/1," : ":");
}

}  // namespace

TEST_CASE("options: the documentation has every combiner, option, default and choice") {
  const std::string docs = documentation();
  const size_t gradients = docs.find("## Gradient combiners");
  const std::string of_all = docs.substr(gradients, docs.find("### ", gradients) - gradients);
  for (const std::string& name : combiner_names()) {
    const std::string text = section(docs, name);
    INFO("combiner " << name << "\n" << text);
    CHECK_FALSE(text.empty());
    for (const OptionDescription& option : combiner_options(name)) {
      INFO("option " << option.name << " = " << option.standard);
      CHECK(says(option.name == "at" || option.name == "every" ? of_all : text, option));
      if (!option.second_name.empty()) CHECK(contains(text, "`" + option.second_name + "`"));
      for (const std::string& choice : option.choices)
        CHECK((contains(text, choice) || (option.name == "at" && contains(of_all, choice))));
    }
  }
}

TEST_CASE("options: a value that is no number, or not one that is allowed, is an Error") {
  for (const std::string& name : combiner_names())
    for (const OptionDescription& option : combiner_options(name)) {
      double number = 0;
      if (!is_number(option.standard, number) || !option.choices.empty()) continue;
      for (const char* wrong : {"nan", "inf", "-inf", "1e999", "", "one"}) {
        const std::string text = prefix(name) + option.name + "=" + wrong;
        INFO(text);
        CHECK(contains(error_text([&] { make_combiner(text); }), option.name));
      }
    }
}

TEST_CASE("options: what is set to its default changes nothing") {
  for (const std::string& name : combiner_names())
    for (const OptionDescription& option : combiner_options(name)) {
      double number = 0;
      if (!is_number(option.standard, number) && option.choices.empty()) continue;
      if (option.standard.find(" each") != std::string::npos) continue;
      const std::string text = prefix(name) + option.name + "=" + option.standard;
      INFO(text);
      CHECK(make_combiner(text) != nullptr);
      for (const std::string& choice : option.choices)
        CHECK(make_combiner(prefix(name) + option.name + "=" + choice) != nullptr);
    }
}

TEST_CASE("options: those of a struct are checked like those of a text") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double wrong : {nan, infinity, -1.0}) {
    INFO(wrong);
    CHECK(contains(error_text([&] { CaGrad({.c = wrong}); }), "option c"));
    CHECK(contains(error_text([&] { NashMtl({.max_norm = wrong}); }), "max_norm"));
    CHECK(contains(error_text([&] { FairGrad({.alpha = wrong}); }), "alpha"));
    CHECK(contains(error_text([&] { GradNorm(GradNorm::Options{.alpha = wrong}); }), "alpha"));
    CHECK(contains(error_text([&] { UpGrad({.preference = {1, wrong}}); }), "preference"));
    CHECK(contains(error_text([&] { Pcd({.eps = wrong}); }), "eps"));
    CHECK(contains(error_text([&] { ExcessMtl({.step_size = wrong}); }), "step_size"));
    CHECK(contains(error_text([&] { MoCo({.gamma_sigma = wrong}); }), "gamma_sigma"));
    CHECK(contains(error_text([&] { DbMtl({.beta_sigma = wrong}); }), "beta_sigma"));
    CHECK(contains(error_text([&] { MoDo(MoDo::Options{.rho = wrong}); }), "rho"));
    CHECK(contains(error_text([&] { SdmGrad({.lr = wrong}); }), "lr"));
    CHECK(contains(error_text([&] { GradDrop({.leak = wrong}); }), "leak"));
    CHECK(contains(error_text([&] { GradVac({.beta = wrong}); }), "beta"));
    CHECK(contains(error_text([&] { CrMogm(CrMogm::Options{.alpha = wrong}); }), "alpha"));
  }
  CHECK(contains(error_text([] { Krum({.selected = 0}); }), "selected"));
  CHECK(contains(error_text([] { TrimmedMean({.trim = -1}); }), "trim"));
  CHECK(contains(error_text([] { Mgda({.every = 0}); }), "every"));
  CHECK(contains(error_text([] { AlignedMtl({.scale = static_cast<AlignedMtl::Scale>(7)}); }),
                 "expected one of: min, median, rmse"));
}

TEST_CASE("options: two names of one option are not both given") {
  CHECK(make_combiner("excess_mtl:step=0.1") != nullptr);
  CHECK(contains(error_text([] { make_combiner("excess_mtl:step=0.1,step_size=0.1"); }),
                 "both are given"));
}
