#include "catch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

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

/// Two pixels, a red and a blue one, compressed by Python's zlib.
std::string small_png() {
  static constexpr char png[] =
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x08\x02\0\0\0\x7b\x40\xe8\xdd"
      "\0\0\0\rIDAT\x78\x9c\x63\xf8\xcf\0\x04\xff\x01\x07\0\x01\xff\xe2\x39\xe5\x90"
      "\0\0\0\0IEND\xae\x42\x60\x82";
  return {png, sizeof png - 1};
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

TEST_CASE("events of histograms and pictures: the bytes of Python's tensorboard package") {
  const io::Histogram histogram{-1, 2, 2.5, 6.25, {0, 2}, {1, 3}};
  CHECK(
      hex(io::histogram_event("w", histogram, 3, 1577836801.5)) ==
      "0900006040f882d74110032a580a560a01772a5109000000000000f0bf1100000000000000401900000000000010"
      "402100000000000004402900000000000019403210000000000000000000000000000000403a10000000000000"
      "f03f0000000000000840");
  CHECK(hex(io::picture_event("p", small_png(), 3, 1577836801.5)) ==
        "0900006040f882d74110032a550a530a0170224e0801100218032246" + hex(small_png()));
}

TEST_CASE("histogram_of: every finite value is in one bucket") {
  const double least = -1e308, most = 1.5e308;
  const auto wide =
      io::histogram_of(torch::tensor({least, 0.0, most, double(NAN)}, torch::kDouble));
  CHECK(std::accumulate(wide.counts.begin(), wide.counts.end(), 0.0) == 3);
  CHECK(wide.limits.size() == 30);
  CHECK(wide.limits.back() == most);
  CHECK(std::is_sorted(wide.limits.begin(), wide.limits.end()));
  const auto even = io::histogram_of(torch::arange(1, 301).reshape({3, 100}));
  CHECK(even.sum == 45150);
  CHECK(even.counts.front() == 10);  // 1 to 10: up to 1 + 299 / 30
  const auto equal = io::histogram_of(torch::full({4}, 7));
  CHECK(equal.limits == std::vector<double>{7});
  CHECK(equal.counts == std::vector<double>{4});
  CHECK(io::histogram_of(torch::full({2}, INFINITY)).limits.empty());
  CHECK(io::histogram_of(torch::empty({0})).limits.empty());
}

TEST_CASE("histogram_of: of complex values both parts") {
  const auto histogram =
      mtl::io::histogram_of(torch::complex(torch::tensor({1.0, 2.0}), torch::tensor({-3.0, 4.0})));
  CHECK(histogram.least == -3);
  CHECK(histogram.most == 4);
  CHECK(histogram.sum == 4);
}

TEST_CASE("picture_event: what is no PNG file is an error") {
  for (const std::string& bytes : {std::string(), std::string("GIF89a"), small_png().substr(0, 25)})
    CHECK(contains(error_text([&] { io::picture_event("front", bytes, 0, 0); }), "\"front\""));
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
  writer.add_histogram("weights", torch::arange(4), 1);
  writer.add_picture("front", small_png(), 2);
  writer.flush();
  const std::string check =
      "python3 -c 'import sys; from tensorboard.backend.event_processing.event_accumulator import "
      "EventAccumulator as E; e = E(sys.argv[1]); e.Reload(); "
      "assert [(s.step, s.value) for s in e.Scalars(\"a/損失\")] "
      "== [(0, 0.0), (1, 0.5), (2, 1.0)]; "
      "h = e.Tensors(\"weights\") if \"weights\" in e.Tags()[\"tensors\"] else "
      "e.Histograms(\"weights\"); assert len(h) == 1 and h[0].step == 1; "
      "p = e.Tensors(\"front\") if \"front\" in e.Tags()[\"tensors\"] else e.Images(\"front\"); "
      "assert len(p) == 1 and p[0].step == 2' " +
      folder.path().string() + " 2>/dev/null";
  CHECK(std::system(check.c_str()) == 0);
}
