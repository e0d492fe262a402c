#include <cmath>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/evaluate/tuning/tuning.hpp"
#include "temporary_folder.hpp"

using namespace mtl::evaluate;

namespace {

const SearchSpace weights_space{{.name = "first", .low = 0, .high = 2},
                                {.name = "kind", .choices = {"a", "b, \"quoted\""}}};

double bowl(const Candidate& candidate) {
  return std::pow(candidate.at("first") - 1, 2) + (candidate.text("kind") == "a" ? 0 : 1);
}

std::string tuner_log_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<double> values_of_all(const Tuner& tuner) {
  std::vector<double> all;
  for (const auto& trial : tuner.trials())
    all.insert(all.end(), trial.values.begin(), trial.values.end());
  return all;
}

}  // namespace

TEST_CASE("Tuner: asks until the trials are used up, and knows the best") {
  Tuner tuner(weights_space, RandomSearch{}, {.trials = 12, .seed = 3});
  CHECK_FALSE(tuner.best());
  double lowest = 1e9;
  int64_t asked = 0;
  while (const auto candidate = tuner.ask()) {
    CHECK(candidate->trial == asked++);
    lowest = std::min(lowest, bowl(*candidate));
    tuner.tell(*candidate, bowl(*candidate));
  }
  CHECK(asked == 12);
  CHECK(tuner.best()->score == lowest);
  CHECK(bowl(tuner.best()->candidate) == lowest);
}

TEST_CASE("Tuner: what it is given is tried first, and known to the method") {
  Tuner tuner(weights_space, RandomSearch{}, {.trials = 4, .first = {{0.5, 1}, {2, 0}}});
  Tuner without(weights_space, RandomSearch{}, {.trials = 4});
  while (const auto candidate = tuner.ask()) tuner.tell(*candidate, bowl(*candidate));
  while (const auto candidate = without.ask()) without.tell(*candidate, bowl(*candidate));
  REQUIRE(tuner.trials().size() == 4);
  CHECK(tuner.trials()[0].values == std::vector<double>{0.5, 1});
  CHECK(tuner.trials()[1].values == std::vector<double>{2, 0});
  CHECK(tuner.trials()[3].values == without.trials()[3].values);

  const auto error = [](const std::vector<double>& values) {
    Tuner wrong(weights_space, RandomSearch{}, {.first = {values}});
    return error_text([&] { wrong.ask(); });
  };
  CHECK(contains(error({1}), "trial 0: found 1 values for 2 dimensions"));
  CHECK(contains(error({3, 1}), "found 3 for \"first\""));
}

TEST_CASE("Tuner: stopped at any trial it goes on from the log as if it had not been") {
  for (const SearchMethod& method :
       std::vector<SearchMethod>{RandomSearch{}, SobolSearch{}, PopulationSearch{.members = 4},
                                 ExpectedImprovement{.start = 4, .candidates = 50}}) {
    const Tuner::Options options{.trials = 9, .seed = 5};
    Tuner whole(weights_space, method, options);
    while (const auto candidate = whole.ask()) whole.tell(*candidate, bowl(*candidate));
    const TemporaryFolder folder;
    Tuner::Options logged = options;
    logged.log = folder / "trials.csv";
    std::vector<double> values;
    for (bool more = true; more;) {  // a new object for every trial
      Tuner tuner(weights_space, method, logged);
      const auto candidate = tuner.ask();
      more = candidate.has_value();
      if (more) tuner.tell(*candidate, bowl(*candidate));
      values = values_of_all(tuner);
    }
    CHECK(values == values_of_all(whole));
  }
}

TEST_CASE("Tuner: what was asked for and not told is asked for again") {
  const TemporaryFolder folder;
  const Tuner::Options options{.trials = 3, .log = folder / "trials.csv"};
  std::string lost;
  {
    Tuner tuner(weights_space, RandomSearch{}, options);
    const auto first = tuner.ask(), second = tuner.ask(), third = tuner.ask();
    CHECK_FALSE(tuner.ask());
    tuner.tell(*first, 1);
    tuner.should_stop(*second, 1, 0.5);
    tuner.tell(*third, 2);
    lost = second->text("first");
  }
  Tuner tuner(weights_space, RandomSearch{}, options);
  const auto again = tuner.ask();
  CHECK(again->trial == 1);
  CHECK(again->text("first") == lost);
  tuner.should_stop(*again, 1, 0.25);
  tuner.tell(*again, 0.125);
  CHECK_FALSE(tuner.ask());
  REQUIRE(tuner.trials().size() == 3);
  CHECK(tuner.trials()[1].reports.size() == 1);
  CHECK(tuner.best()->candidate.trial == 1);
}

TEST_CASE("Tuner: a person can read the log") {
  const TemporaryFolder folder;
  Tuner tuner(weights_space, GridSearch{.steps = 2}, {.log = folder / "trials.csv"});
  const auto first = tuner.ask(), second = tuner.ask();
  tuner.should_stop(*first, 10, 0.75);
  tuner.tell(*first, 0.5);
  tuner.tell(*second, std::nan(""));
  CHECK(tuner_log_text(folder / "trials.csv") ==
        "trial,parent,state,step,score,first,kind\n"
        "0,,running,10,0.75,0,a\n"
        "0,,finished,,0.5,0,a\n"
        "1,,failed,,,0,\"b, \"\"quoted\"\"\"\n");
}

TEST_CASE("Tuner: a failed trial is never the best and the search goes on") {
  Tuner tuner(weights_space, ExpectedImprovement{.start = 2, .candidates = 20}, {.trials = 5});
  for (int n = 0; n < 4; ++n) tuner.tell(*tuner.ask(), std::nan(""));
  CHECK_FALSE(tuner.best());
  const auto last = tuner.ask();
  REQUIRE(last);
  tuner.tell(*last, 7);
  CHECK(tuner.best()->score == 7);
  CHECK(tuner.trials()[0].state == TrialState::failed);
}

TEST_CASE("Tuner: a trial that was told to stop is never the best") {
  Tuner tuner(weights_space, RandomSearch{},
              {.stop = [](const TuningTrial& trial, auto, auto) { return trial.trial == 1; }});
  const auto first = tuner.ask(), second = tuner.ask(), third = tuner.ask();
  CHECK_FALSE(tuner.should_stop(*first, 1, 5));
  CHECK(tuner.should_stop(*second, 1, 5));
  CHECK(tuner.should_stop(*third, 1, std::nan("")));
  tuner.tell(*second, 1);
  tuner.tell(*first, 2);
  CHECK(tuner.trials()[1].state == TrialState::stopped);
  CHECK(tuner.best()->candidate.trial == 0);
}

TEST_CASE("Tuner: Error: a damaged log, with its line") {
  const TemporaryFolder folder;
  const auto file = folder / "trials.csv";
  const std::string header = "trial,parent,state,step,score,first,kind\n";
  const auto text_of = [&](const std::string& rows) {
    std::ofstream(file) << rows;
    return error_text([&] { Tuner(weights_space, RandomSearch{}, {.log = file}); });
  };
  const std::string row = "0,,finished,,0.5,1,a\n";
  CHECK(text_of(header + row).empty());
  CHECK(text_of("").empty());
  CHECK(contains(text_of(header + row + "1,,finished,,0.5,1\n"), "line 3, column 1: 6 cells"));
  CHECK(contains(text_of(header + row + row), "line 3, column 1: trial 0 has ended before"));
  CHECK(contains(text_of(header + "-1,,finished,,0.5,1,a\n"), "line 2, column 1: found \"-1\""));
  CHECK(contains(text_of(header + "0,x,finished,,0.5,1,a\n"), "line 2, column 2"));
  CHECK(contains(text_of(header + "0,,done,,0.5,1,a\n"), "line 2, column 3: found \"done\""));
  CHECK(contains(text_of(header + "0,,running,,0.5,1,a\n"), "line 2, column 4"));
  CHECK(contains(text_of(header + "0,,finished,,,1,a\n"), "line 2, column 5"));
  CHECK(contains(text_of(header + "0,,finished,,0.5,3,a\n"), "a value of \"first\""));
  CHECK(contains(text_of(header + "0,,finished,,0.5,1,c\n"), "a value of \"kind\""));
  CHECK(contains(text_of(header + "0,,finished,,0.5,1,\"a\n"), "line 2"));
  CHECK(contains(text_of("trial,parent,state,step,score,second\n"), "another search"));
  CHECK(tuner_log_text(file) == "trial,parent,state,step,score,second\n");  // left as it was
}

TEST_CASE("Tuner: Error: trials nobody asked for, told twice, reported backwards; a log in use") {
  const TemporaryFolder folder;
  const Tuner::Options options{.log = folder / "trials.csv"};
  Tuner tuner(weights_space, RandomSearch{}, options);
  const auto candidate = tuner.ask();
  tuner.should_stop(*candidate, 3, 1);
  CHECK(contains(error_text([&] { tuner.should_stop(*candidate, 3, 1); }), "rising steps"));
  tuner.tell(*candidate, 1);
  CHECK(contains(error_text([&] { tuner.tell(*candidate, 1); }), "told before"));
  CHECK(contains(error_text([&] {
                   tuner.tell(weights_space.candidate(9, {1, 0}), 1);
                 }),
                 "trial 9 was not asked for"));
  CHECK_FALSE(error_text([&] { Tuner(weights_space, RandomSearch{}, options); }).empty());
  CHECK(contains(error_text([] { Tuner(weights_space, RandomSearch{}, {.trials = 0}); }),
                 "trials = 0"));
  Tuner stray(weights_space, [](const SearchState&) { return Proposal{{5, 0}}; });
  CHECK(contains(error_text([&] { stray.ask(); }), "5 for \"first\""));
}
