#include <catch.hpp>
#include <map>
#include <set>

#include "text/reviews.hpp"

using namespace text;

TEST_CASE("Text example: the same seed writes the same, words and tags are as many") {
  Writer one(3), two(3);
  for (int i = 0; i < 50; ++i) {
    const Review review = one.write();
    CHECK(review.words == two.write().words);
    REQUIRE(review.words.size() == review.tags.size());
    const mtl::Sample known = sample_of(review, true), unknown = sample_of(review, false);
    CHECK(known.inputs["tokens"].size(0) == std::ssize(review.words));
    CHECK(known.inputs["tokens"].min().item<int64_t>() >= 1);
    CHECK(known.inputs["tokens"].max().item<int64_t>() <= vocabulary().size());
    CHECK(unknown.targets["aspects"].eq(mtl::missing_class).all().item<bool>());
    CHECK(unknown.targets["topic"].item<int64_t>() == mtl::missing_class);
  }
}

TEST_CASE("Text example: what is praised and blamed says the sentiment") {
  Writer writer(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 200; ++i) {
    const Review review = writer.write();
    int64_t balance = 0;
    for (size_t w = 0; w < review.tags.size(); ++w) {
      const int64_t tag = review.tags[w];
      if (tag == 1 || tag == 3) balance += tag == 1 ? 1 : -1;
      if (tag == 2 || tag == 4) CHECK((review.tags[w - 1] == tag || review.tags[w - 1] == tag - 1));
    }
    CHECK(review.sentiment == (balance < 0 ? 0 : balance == 0 ? 1 : 2));
    seen.insert(review.sentiment);
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("Text example: one aspect leaves the topic open, those of a review tell it") {
  std::map<std::string, std::set<int64_t>> topics_of;
  std::vector<std::pair<std::set<std::string>, int64_t>> reviews;
  Writer writer(2);
  for (int i = 0; i < 2000; ++i) {
    const Review review = writer.write();
    std::set<std::string> named;
    for (size_t w = 0; w < review.words.size(); ++w)
      if (review.tags[w] == 1 || review.tags[w] == 3) named.insert(review.words[w]);
    for (const std::string& word : named) topics_of[word].insert(review.topic);
    reviews.emplace_back(named, review.topic);
  }
  CHECK(topics_of.at("wifi").size() == 2);
  CHECK(topics_of.at("service").size() == 5);
  for (const auto& [named, topic] : reviews) {
    std::set<int64_t> possible = {0, 1, 2, 3, 4};
    for (const std::string& word : named)
      std::erase_if(possible, [&](int64_t t) { return !topics_of.at(word).contains(t); });
    CHECK(possible == std::set<int64_t>{topic});
  }
}
