package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Detections as they are filtered, written and timed. */
class DetectionsTest {
    private static final List<String> NAMES = Arrays.asList("cat", "a \"dog\"\n", "ä\\bird");

    private static Detections some() {
        Detections found = new Detections(4);
        found.add(0.1f, 0.2f, 0.3f, 0.4f, 2, 0.9f);
        found.add(0, 0, 1, 1, 0, 0.5f);
        found.add(0.25f, 0.5f, 0.75f, 1, 1, 0.4f);
        return found;
    }

    @Test
    void classesAreFiltered() {
        Detections kept = new Detections(4);
        kept.copy(some(), new boolean[] {true, false, true});
        assertEquals(2, kept.count());
        assertEquals(2, kept.label(0));
        assertEquals(0.9f, kept.score(0));
        assertEquals(0.4f, kept.right(0));
        assertEquals(0, kept.label(1));
        kept.copy(some(), null);
        assertEquals(3, kept.count());
        kept.copy(some(), new boolean[3]);
        assertEquals(0, kept.count());
    }

    @Test
    void jsonHoldsWhatIsAboveTheThreshold() {
        assertEquals("[\n  {\n    \"image\": \"a \\\"b\\\".jpg\",\n    \"detections\": [\n"
                + "      {\"box\": [0.10000, 0.20000, 0.30000, 0.40000], "
                + "\"label\": \"ä\\\\bird\", \"score\": 0.90000},\n"
                + "      {\"box\": [0.00000, 0.00000, 1.00000, 1.00000], "
                + "\"label\": \"cat\", \"score\": 0.50000}\n    ]\n  }\n]\n",
                DetectionsJson.write("a \"b\".jpg", some(), 0.45f, NAMES));
        assertEquals("[\n  {\n    \"image\": \"x\",\n    \"detections\": []\n  }\n]\n",
                DetectionsJson.write("x", some(), 0.95f, NAMES));
        String all = DetectionsJson.write("x", some(), 0, NAMES);
        assertEquals(true, all.contains("\"a \\\"dog\\\"\\u000a\""), all);
    }

    @Test
    void timesAreRanked() {
        float[] times = new float[20];
        for (int i = 0; i < times.length; i++) {
            times[i] = 20 - i;
        }
        Spread spread = new Spread(times);
        assertEquals(10, spread.median);
        assertEquals(19, spread.p95);
        assertEquals(20, times[0]);
        assertEquals(7, new Spread(new float[] {7}).p95);
        assertThrows(IllegalArgumentException.class, () -> new Spread(new float[0]));
    }
}
