#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "scripted_run.hpp"

namespace {

std::vector<std::string> value_names(const mtl::LogEntry& entry) {
  std::vector<std::string> names;
  for (const auto& [name, value] : entry.values) names.push_back(name);
  return names;
}

double value_of(const mtl::LogEntry& entry, const std::string& wanted) {
  for (const auto& [name, value] : entry.values)
    if (name == wanted) return value;
  return -1;
}

}  // namespace

TEST_CASE("LogTo: tells a sink what every epoch came to") {
  std::vector<mtl::LogEntry> entries;
  const auto run =
      logged_run(2, mtl::LogTo{[&](const mtl::LogEntry& entry) { entries.push_back(entry); }});
  REQUIRE(entries.size() == 2);
  CHECK(value_names(entries[1]) ==
        std::vector<std::string>{"train/total", "train/a", "train/b", "valid/total", "valid/a",
                                 "valid/a/error", "valid/b", "valid/b/error", "learning_rate/0"});
  CHECK(entries[1].epoch == 2);
  CHECK(entries[1].step == 8);
  CHECK(entries[1].of_epoch);
  CHECK(value_of(entries[1], "valid/a/error") == run.history.last().valid("a", "error"));
  CHECK(value_of(entries[1], "train/b") == run.history.last().train("b"));
  CHECK(value_of(entries[1], "learning_rate/0") == 0.01);
}

TEST_CASE("LogTo: tells every so many steps the losses that there are") {
  std::vector<mtl::LogEntry> entries;
  logged_run(2,
             mtl::LogTo{.sink = [&](const mtl::LogEntry& e) { entries.push_back(e); }, .every = 1});
  REQUIRE(entries.size() == 10);  // 4 steps and the epoch, twice
  CHECK(value_names(entries[0]) == std::vector<std::string>{"step/a", "learning_rate/0"});
  CHECK(value_names(entries[1]) == std::vector<std::string>{"step/a", "step/b", "learning_rate/0"});
  CHECK_FALSE(entries[1].of_epoch);
  CHECK(entries[4].of_epoch);
  CHECK(entries[9].step == 8);
}

TEST_CASE("LogTo: an entry as a line of text") {
  const mtl::LogEntry entry{3, 120, true, {{"train/total", 0.5}, {"train/a", 0.25}}};
  CHECK(entry.text() == "epoch 3, step 120: train/total 0.5, train/a 0.25");
}

TEST_CASE("LogTo: what the sink throws ends the run, no sink is an error") {
  CHECK(error_text([] {
          logged_run(2, mtl::LogTo{[](const mtl::LogEntry&) { throw mtl::Error("disk full"); }});
        }) == "disk full");
  CHECK(contains(error_text([] { logged_run(1, mtl::LogTo{}); }), "there is no sink"));
  CHECK(contains(error_text([] {
                   logged_run(1, mtl::LogTo{[](const mtl::LogEntry&) {}, -1});
                 }),
                 "found every -1"));
}

TEST_CASE("LogTo: two values of one name are an error before training") {
  const mtl::LogTo log{[](const mtl::LogEntry&) {}};
  ScriptedRun run({});
  log.on_fit_begin(run.state);
  run.state.history.tasks = {"total", "b"};
  CHECK(contains(error_text([&] { log.on_fit_begin(run.state); }),
                 "would be called \"train/total\""));
  run.state.history.tasks = {"a", "a/error"};
  run.state.history.metrics = {{"error"}, {}};
  CHECK(contains(error_text([&] { log.on_fit_begin(run.state); }), "called \"train/a/error\""));
}
