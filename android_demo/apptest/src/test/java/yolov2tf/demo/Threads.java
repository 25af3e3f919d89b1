package yolov2tf.demo;

/** The app's threads, by name. */
final class Threads {
    private Threads() {}

    static int count(String name) {
        int count = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            count += thread.isAlive() && thread.getName().equals(name) ? 1 : 0;
        }
        return count;
    }

    static boolean run(String name) {
        return count(name) > 0;
    }
}
