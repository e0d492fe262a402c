#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "schedule_golden.hpp"

namespace {

/// What a run of two epochs tells a stream.
template <class... More>
std::string told(bool terminal, More... more) {
  int ends[2];
  if (terminal)
    REQUIRE(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) == 0);
  else
    REQUIRE(::pipe(ends) == 0);
  std::FILE* stream = ::fdopen(ends[1], "w");
  try {
    logged_run(2, mtl::ProgressBar{.stream = stream}, more...);
  } catch (const mtl::Error&) {
  }
  std::fputs("(end)", stream);
  std::fflush(stream);
  std::string text;
  while (text.find("(end)") == std::string::npos) {
    char piece[4096];
    const auto length = ::read(ends[0], piece, sizeof piece);
    if (length <= 0) break;
    text.append(piece, static_cast<size_t>(length));
  }
  std::fclose(stream);
  ::close(ends[0]);
  return text;
}

struct ThrowInSecondEpoch {
  void on_step_end(mtl::TrainState& state) {
    if (state.epoch == 2 && state.batch == 2) throw mtl::Error("the test throws here");
  }
};

}  // namespace

TEST_CASE("ProgressBar: a line an epoch where nobody looks") {
  const auto text = told(false);
  CHECK(occurrences(text, "\n") == 2);
  CHECK(occurrences(text, "\r") == 0);
  CHECK(text.find("epoch    1/2  training loss") == 0);
  CHECK(occurrences(text, "validation loss") == 2);
}

TEST_CASE("ProgressBar: on a terminal one line, ended with the run") {
  const auto text = told(true);
  CHECK(occurrences(text, "\n") == 1);
  CHECK(text.find("\n(end)") != std::string::npos);
  CHECK(occurrences(text, "[=") > 2);
}

TEST_CASE("ProgressBar: ends its line also when fit() throws") {
  CHECK(told(true, ThrowInSecondEpoch{}).find("\n(end)") != std::string::npos);
}

TEST_CASE("ProgressBar: no stream is an error when it joins") {
  CHECK(contains(joining_error(mtl::ProgressBar{.stream = nullptr}), "found no stream"));
}
