#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/label_encoder.hpp"

TEST_CASE(
    "LabelEncoder: classes in order of appearance or sorted; empty names are missing labels") {
  const std::vector<std::string> labels = {"rain", "", "sun", "rain", "fog"};
  const auto encoder = mtl::LabelEncoder::learn(labels);
  CHECK(encoder.classes() == std::vector<std::string>{"rain", "sun", "fog"});
  CHECK(encoder.encode(labels).equal(torch::tensor({0L, -100L, 1L, 0L, 2L})));
  CHECK(encoder.decode(encoder.encode(labels)) == labels);
  const auto sorted = mtl::LabelEncoder::learn(labels, mtl::LabelOrder::sorted);
  CHECK(sorted.classes() == std::vector<std::string>{"fog", "rain", "sun"});

  const std::vector<std::string> other = {"sun", "snow"};
  CHECK(contains(error_text([&] { encoder.encode(other); }),
                 "label \"snow\" in row 1 is none of the classes rain, sun, fog"));
  CHECK(encoder.encode(other, mtl::UnknownLabel::missing).equal(torch::tensor({1L, -100L})));
  CHECK(contains(error_text([&] { encoder.decode(torch::tensor({3L})); }), "class 3 in row 0"));
  CHECK(contains(error_text([] { mtl::LabelEncoder({"a", "a"}); }), "\"a\" occurs twice"));
  CHECK(contains(error_text([] { mtl::LabelEncoder::learn(std::vector<std::string>{""}); }),
                 "are missing"));
}
