package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class SparkSettingsTest {
  @Test
  void aTaskHasAllCoresOfItsExecutor() {
    int all = Runtime.getRuntime().availableProcessors();
    assertEquals(all, threads("local[*]", ""));
    assertEquals(3, threads("local[3]", ""));
    assertEquals(3, threads("local[3,5]", ""));
    assertEquals(1, threads("local", ""));
    assertEquals(2, threads("local-cluster[4,2,1024]", ""));
    assertEquals(8, threads("spark://head:7077", "8"));
    assertEquals(8, threads("yarn", "8"));
    assertEquals(0, threads("spark://head:7077", ""), "known only where it starts");
  }

  private static int threads(String master, String cores) {
    SparkConf conf = new SparkConf(false).set("spark.master", master);
    if (!cores.isEmpty()) {
      conf.set("spark.executor.cores", cores);
    }
    return SparkSettings.threadsOfExecutor(SparkSettings.complete(conf));
  }

  @Test
  void whatTheUserSetStays() {
    SparkConf conf =
        SparkSettings.complete(
            new SparkConf(false)
                .set("spark.master", "local-cluster[2,4,1024]")
                .set("spark.task.cpus", "1")
                .set("spark.executor.extraClassPath", "mine"));
    assertEquals(1, SparkSettings.threadsOfExecutor(conf));
    assertEquals("mine", conf.get("spark.executor.extraClassPath"));
  }

  @Test
  void withoutAMasterItIsThisMachine() {
    SparkConf conf = SparkSettings.complete(new SparkConf(false));
    assertEquals("local[*]", conf.get("spark.master"));
    assertFalse(conf.contains("spark.executor.extraClassPath"));
    assertEquals("0", conf.get("spark.driver.maxResultSize"));
    assertTrue(conf.contains("spark.app.name"));
  }
}
