#include <cmath>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/samples.hpp"

namespace {

/// Sentences of so many words, with boxes and a mark; the last has no mark.
std::vector<mtl::Sample> sentences(const std::vector<int64_t>& lengths) {
  std::vector<mtl::Sample> samples;
  for (const int64_t length : lengths) {
    mtl::Sample sample{{{"words", torch::arange(1, length + 1)}, {"height", torch::tensor({1.5f})}},
                       {{"boxes", torch::ones({length, 4})}, {"tags", torch::arange(length)}}};
    if (samples.size() + 1 < lengths.size()) sample.targets.insert("mark", torch::tensor(1.0f));
    samples.push_back(sample);
  }
  return samples;
}

const mtl::PadToLongest ragged{.ragged = {"words", "boxes", "tags"}};

}  // namespace

TEST_CASE("PadToLongest: ragged inputs are filled up and their lengths told") {
  const auto batch = ragged(sentences({2, 3, 1}));
  CHECK(
      batch.inputs["words"].equal(torch::tensor({{1, 2, 0}, {1, 2, 3}, {1, 0, 0}}, torch::kInt64)));
  CHECK(batch.inputs["words_length"].equal(torch::tensor({2, 3, 1}, torch::kInt64)));
  CHECK(batch.inputs["height"].sizes() == torch::IntArrayRef({3, 1}));
  CHECK_FALSE(batch.inputs.contains("height_length"));
  auto other = ragged;
  other.fill = -1;
  CHECK(other(sentences({1, 2})).inputs["words"][0][1].item<int64_t>() == -1);
}

TEST_CASE("PadToLongest: lengths come also where all are equally long") {
  CHECK(ragged(sentences({2, 2})).inputs.contains("words_length"));
}

TEST_CASE("PadToLongest: ragged targets are filled up with missing labels") {
  const auto batch = ragged(sentences({2, 3, 1}));
  const auto boxes = batch.targets["boxes"];
  CHECK(boxes.sizes() == torch::IntArrayRef({3, 3, 4}));
  CHECK(mtl::labelled_entries(boxes).sum({1, 2}).equal(torch::tensor({8, 12, 4}, torch::kInt64)));
  CHECK(batch.targets["tags"].equal(
      torch::tensor({{0, 1, -100}, {0, 1, 2}, {0, -100, -100}}, torch::kInt64)));
}

TEST_CASE("PadToLongest: a target that a sample lacks is a missing label") {
  const auto batch = ragged(sentences({2, 3}));
  CHECK(mtl::is_labelled(batch.targets["mark"]).equal(torch::tensor({true, false})));
  CHECK_FALSE(batch.complete);
}

TEST_CASE("PadToLongest: several dimensions at once") {
  const auto picture = [](int64_t rows, int64_t columns) {
    return mtl::Sample{{{"x", torch::ones({3, rows, columns})}}};
  };
  const auto batch = mtl::PadToLongest{.ragged = {"x"}}({picture(2, 5), picture(4, 3)});
  CHECK(batch.inputs["x"].sizes() == torch::IntArrayRef({2, 3, 4, 5}));
  CHECK(batch.inputs["x"].sum({1, 2, 3}).equal(torch::tensor({30.0f, 36.0f})));
}

TEST_CASE("PadToLongest: what does not fit is named") {
  using mtl::PadToLongest;
  const auto error = [](const PadToLongest& collate, std::vector<mtl::Sample> samples) {
    return error_text([&] { collate(samples); });
  };
  CHECK(contains(error({}, {}), "there are no samples"));
  CHECK(contains(error({}, sentences({2, 3})), "\"words\" has shape [2] in one sample and [3]"));
  auto without = sentences({2, 2});
  without[1].inputs = {{"height", torch::ones({1})}};
  CHECK(contains(error(ragged, without), "sample 1 of the batch has no input \"words\""));
  auto more = sentences({2, 2});
  more[1].inputs.insert("age", torch::ones({1}));
  CHECK(contains(error(ragged, more), "sample 1 of the batch has an input \"age\""));
  auto named = sentences({2});
  named[0].inputs.insert("words_length", torch::ones({1}));
  CHECK(contains(error(ragged, named), "come as the input \"words_length\""));
  auto bytes = sentences({2, 3});
  for (auto& sample : bytes) sample.targets["tags"] = sample.targets["tags"].to(torch::kByte);
  CHECK(contains(error(ragged, bytes), "target \"tags\" has type Byte, which knows no missing"));
  auto flat = sentences({2, 3});
  flat[1].targets["boxes"] = torch::ones({4});
  CHECK(contains(error(ragged, flat), "shapes [2, 4] and [4] cannot be padded"));
  CHECK(contains(error({.ragged = {"height"}}, {{{{"height", torch::tensor(1)}}}}),
                 "\"height\" is a single number"));
}

TEST_CASE("SampleDataset: a loader's batches are made by the collate function") {
  mtl::BatchLoader padded(mtl::SampleDataset(sentences({1, 2, 3, 4, 5}), ragged),
                          {.batch_size = 2});
  mtl::Batch batch;
  std::vector<int64_t> widths;
  while (padded.next(batch)) widths.push_back(batch.inputs["words"].size(1));
  CHECK(widths == std::vector<int64_t>{2, 4, 5});

  // One of one's own: samples made when they are asked for, rows one after the other.
  const auto rows = [](const std::vector<mtl::Sample>& samples) {
    std::vector<torch::Tensor> all;
    for (const auto& sample : samples) all.push_back(sample.inputs["x"]);
    return mtl::Batch{{{"x", torch::stack(all) * 10}}};
  };
  const mtl::SampleDataset own(
      9,
      [](int64_t i) {
        return mtl::Sample{{{"x", torch::tensor(i)}}};
      },
      rows);
  CHECK(own.get(torch::tensor({8, 0})).inputs["x"].equal(torch::tensor({80, 0})));
}

TEST_CASE("SampleDataset: what is missing is named") {
  CHECK(contains(error_text([] { mtl::SampleDataset({}, ragged); }), "there are no samples"));
  CHECK(contains(error_text([] { mtl::SampleDataset(3, nullptr); }),
                 "no function that gives a sample"));
  CHECK(contains(error_text([] { mtl::SampleDataset(sentences({1}), mtl::Collate()); }),
                 "no function that makes a batch"));
  const mtl::SampleDataset data(sentences({1, 2}), ragged);
  CHECK(contains(error_text([&] { data.get(torch::tensor({2})); }), "there is no row 2 of 2"));
}

TEST_CASE("PadToLongest: labels of two types: what is missing stays missing") {
  std::vector<mtl::Sample> samples(4);
  for (auto& sample : samples) sample.inputs.insert("x", torch::zeros({1}));
  samples[0].targets.insert("y", torch::tensor(-100, torch::kLong));
  samples[1].targets.insert("y", torch::tensor(0.5));
  samples[2].targets.insert("y", torch::tensor(3, torch::kLong));
  const auto y = mtl::PadToLongest{}(samples).targets["y"];
  CHECK(y.is_floating_point());
  CHECK(y[0].isnan().item<bool>());
  CHECK(y[1].item<double>() == 0.5);
  CHECK(y[2].item<double>() == 3);
  CHECK(y[3].isnan().item<bool>());
}

TEST_CASE("PadToLongest: whole numbers have to have the number that fills them up") {
  const auto text = [](torch::ScalarType type, double fill) {
    std::vector<mtl::Sample> samples(2);
    samples[0].inputs.insert("words", torch::ones({2}, type));
    samples[1].inputs.insert("words", torch::ones({1}, type));
    return error_text([&] { mtl::PadToLongest{.ragged = {"words"}, .fill = fill}(samples); });
  };
  CHECK(contains(text(torch::kLong, 0.5), "\"words\" has type Long, which has no number 0.5"));
  CHECK(contains(text(torch::kLong, std::nan("")), "no number nan"));
  CHECK(contains(text(torch::kByte, -1), "has type Byte, which has no number -1"));
  CHECK(contains(text(torch::kByte, 256), "no number 256"));
  CHECK(text(torch::kByte, 255).empty());
  CHECK(text(torch::kChar, -128).empty());
  CHECK(text(torch::kFloat, std::nan("")).empty());
}
