#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "schedule_golden.hpp"
#include "temporary_folder.hpp"

TEST_CASE("CsvLog: the file is the history") {
  const TemporaryFolder folder;
  const auto run = logged_run(3, mtl::CsvLog{.file = folder / "history.csv"});
  CHECK(mtl::io::read_file(folder / "history.csv") == run.history.csv());
  CHECK(lines_of(run.history.csv()).size() == 4);
}

TEST_CASE("CsvLog: a second fit and a resumed one write their own history") {
  const TemporaryFolder folder;
  mtl::CsvLog log{.file = folder / "run" / "history.csv"};
  const mtl::Checkpointing checkpoint{.directory = folder / "checkpoint"};
  logged_run(2, log);
  logged_run(1, log, checkpoint);
  CHECK(lines_of(mtl::io::read_file(log.file)).size() == 2);
  mtl::Checkpointing resume = checkpoint;
  resume.resume = true;
  const auto run = logged_run(3, log, resume);
  CHECK(mtl::io::read_file(log.file) == run.history.csv());
}

TEST_CASE("CsvLog: no file is an error when it joins") {
  CHECK(contains(joining_error(mtl::CsvLog{}), "CsvLog: found no file"));
}
