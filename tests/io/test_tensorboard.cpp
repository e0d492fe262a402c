#include "catch.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "error_text.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/tensorboard.hpp"
#include "temporary_folder.hpp"

using namespace mtl;

namespace {
std::string hex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}
}  // namespace

TEST_CASE("masked CRC-32C: the check value of the polynomial") {
  // 0xe3069283 is CRC-32C of "123456789" (RFC 3720 gives the polynomial and its vectors).
  const uint32_t crc = 0xe3069283u;
  CHECK(io::masked_crc32c("123456789") == (crc >> 15 | crc << 17) + 0xa282ead8u);
}

TEST_CASE("event records: the bytes of Python's tensorboard package") {
  CHECK(hex(io::event_record(io::version_event(1577836800.25))) ==
        "1800000000000000a37f4b220900001040f882d7411a0d627261696e2e4576656e743a32653221f2");
  CHECK(hex(io::event_record(io::scalar_event("train/天気/loss", 0.7, 300, 1577836801.5))) ==
        "2800000000000000ff70164a0900006040f882d74110ac022a1a0a180a11747261696e2fe5a4a9e6b0972f6c6f"
        "7373153333333f02117f3c");
  CHECK(hex(io::event_record(io::scalar_event("x", 0, -1, 1577836801.5))) ==
        "200000000000000029eda9500900006040f882d74110ffffffffffffffffff012a0a0a080a01781500000000fe"
        "2c00c2");
}

TEST_CASE("TensorBoardWriter: a new file a writer, complete after every flush") {
  const TemporaryFolder folder;
  io::TensorBoardWriter first(folder / "runs/a"), second(folder / "runs/a");
  CHECK(first.path() != second.path());
  CHECK(contains(first.path().filename().string(), "tfevents"));
  const auto empty = io::read_file(first.path()).size();
  CHECK(empty == 40);
  first.add_scalar("loss", 1, 0);
  first.flush();
  CHECK(io::read_file(first.path()).size() ==
        empty + 16 + io::scalar_event("loss", 1, 0, 1).size());
  CHECK(io::read_file(second.path()).size() == empty);
}

TEST_CASE("TensorBoardWriter: a folder that cannot be made is an error") {
  const TemporaryFolder folder;
  io::write_file_atomically(folder / "file", "");
  CHECK(contains(error_text([&] { io::TensorBoardWriter writer(folder / "file/runs"); }),
                 "file/runs"));
}

TEST_CASE("TensorBoardWriter: Python's tensorboard, where installed, reads it") {
  if (std::system("python3 -c 'import tensorboard' 2>/dev/null") != 0) {
    WARN("python3 has no module tensorboard");
    return;
  }
  const TemporaryFolder folder;
  io::TensorBoardWriter writer(folder.path());
  for (int step = 0; step < 3; ++step) writer.add_scalar("a/損失", step * 0.5, step);
  writer.flush();
  const std::string check =
      "python3 -c 'import sys; from tensorboard.backend.event_processing.event_accumulator import "
      "EventAccumulator as E; e = E(sys.argv[1]); e.Reload(); "
      "assert [(s.step, s.value) for s in e.Scalars(\"a/損失\")] "
      "== [(0, 0.0), (1, 0.5), (2, 1.0)]' " +
      folder.path().string() + " 2>/dev/null";
  CHECK(std::system(check.c_str()) == 0);
}
